"""People and their places: who has an account, and which role they hold in which tenant."""
