"""Sheets in and out: reads what people keep in files and says, row by row, what it would change.

Refuses to guess: what cannot be read is listed with its row, column and reason, and a blank cell never changes
anything.
"""
