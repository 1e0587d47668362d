"""The connector kit: everything between a vendor's HTTP interface and the code that knows the vendor.

Owns: one HTTP client with time-outs, deadlines and tracing; retry; circuit breaking; planning by the vendor's cost
limits; the classes of outcome; the declaration of a connector and the suite every connector must pass.
Refuses: to know any vendor, to touch the database, to log a secret.
"""
