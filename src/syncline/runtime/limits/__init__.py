"""How often something may be done: policies by name, counted in Redis for all processes, or in this one.

Owns counting and the verdict. Refuses to know HTTP: who is counted, and what the answer looks like, is decided in
`runtime.http.rate_limit`.
"""
