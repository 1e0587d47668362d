"""The tables of commerce, one file per step."""
