"""Taking a store away: its token and its name at once, its rows piece by piece after that."""
