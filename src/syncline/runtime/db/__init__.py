"""PostgreSQL, the only database: where it is, how a transaction is opened for a tenant, how rows are loaded in bulk.

Owns the embedded server and its supervisor, the connection pool, sessions, the tenant scope with forced row-level
security, migrations. Refuses to know any table: those belong to the apps.
"""
