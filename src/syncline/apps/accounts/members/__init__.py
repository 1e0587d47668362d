"""The people of one tenant: listed, given another role, removed. There is always an owner."""
