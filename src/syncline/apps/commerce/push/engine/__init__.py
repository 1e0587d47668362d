"""How a push is carried out: who claims which products, how many work at it, and what happens to each of them.

Owns claims, workers and their number. Refuses to know what a change means: that is compared, written and judged in the
modules of `push`.
"""
