"""The mirror as files: which rows and columns, and how each kind of file is written.

Streams: a few thousand rows are held at a time, whatever the store's size. Refuses to change what it writes: what a
kind of file cannot hold is left empty and counted, never cut.
"""
