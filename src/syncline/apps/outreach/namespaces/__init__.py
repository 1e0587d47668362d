"""Parts of a tenant's outreach that are kept apart, and which campaign belongs to which."""
