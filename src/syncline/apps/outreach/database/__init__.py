"""What an operator asks of the database over HTTP: its figures, care for its tables, its migrations."""
