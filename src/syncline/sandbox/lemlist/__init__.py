"""A double of lemlist's API, written from lemlist's documents (developer.lemlist.com, November 2026)."""
