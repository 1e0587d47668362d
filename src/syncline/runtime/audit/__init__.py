"""The audit trail: who did what, when, from where, and with what outcome, so that nobody can change it unseen.

Owns the entries, which are only ever added, and the chain of hashes that ties those of a tenant together. Refuses to
hold secrets or bodies of requests: whoever records says what is worth knowing.
"""
