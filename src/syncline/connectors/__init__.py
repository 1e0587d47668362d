"""One package per vendor: how it is spoken to, read and written, in the vendor's own words.

Owns: requests, signatures, paging, limits and error tables of each vendor.
Refuses: to know our own nouns, the database, the queue, or another vendor.
"""
