"""Proving that an address is yours, and coming back in without a password: by tokens that are mailed and good once."""
