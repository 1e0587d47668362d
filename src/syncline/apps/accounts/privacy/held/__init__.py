"""What this app itself holds of people: how it is found, handed out and erased."""
