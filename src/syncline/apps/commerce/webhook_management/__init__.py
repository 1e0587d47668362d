"""Webhooks as a person handles them: registering, looking at what came, trying again, giving up, counting."""
