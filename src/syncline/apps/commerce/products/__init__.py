"""Products made and deleted, as staged changes: what a new one must have, and what of an old one is kept for the way
back. Refuses to make a product without a title or over another one. Must not import `transfer`: a sheet asks here."""
