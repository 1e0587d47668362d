"""What operators see: structured logs with a correlation id and without secrets, and Prometheus metrics.

Owns how a line is written and what is taken out of it. Knows nothing of HTTP, jobs or the database; those call it.
"""
