"""What Shopify asks for on behalf of people: their data, its erasure, a shop's; each with the day it is due.

Owns the requests and their deadlines. The erasing and handing out itself is done where all of it is done.
"""
