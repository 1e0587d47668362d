"""What the columns of people's own sheets mean: guessed, said, and kept under a name for their next sheet."""
