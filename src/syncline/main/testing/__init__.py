"""For tests: a sandbox shop on a socket, a composed runtime with workers, worker processes that may be killed, and the
comparison of a shop with its mirror that shares no code with the connector or the app."""
