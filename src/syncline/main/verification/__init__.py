"""What `syncline verify` looks at: whether a running installation does what it should, from end to end.

Owns the checks of components, endpoints, integrity, stores and schedules. Whether this machine can run Syncline at all
is `examination.py`, which `syncline doctor` shows.
"""
