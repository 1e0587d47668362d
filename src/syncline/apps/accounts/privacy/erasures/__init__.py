"""Taking somebody out of every app, one transaction an app, and again after a backup was restored."""
