"""The HTTP edge: who may call, what a request may carry, how an error reads, and where a transaction opens and closes.

Owns the shape of every answer that is not an endpoint's own. Refuses to know any app: they bring routers, which it
serves.
"""
