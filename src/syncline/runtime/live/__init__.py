"""The live stream: what operations say while they run, to whoever watches.

Owns the messages with their numbers, how long they are kept, the hub that hands them to watchers, and tickets with
which a browser listens. Refuses to know what an operation is: an app announces, and the room is the operation's.
"""
