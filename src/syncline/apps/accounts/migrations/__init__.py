"""The tables of accounts, one file per step."""
