"""What an operator can stop: writing in the whole installation, everything in it, one tenant's writing, one store.

Owns what is stopped, since when, by whom and why. Refuses to stop what is under way: it is asked where work begins.
"""
