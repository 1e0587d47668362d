"""Slack, as far as we speak to it: incoming webhooks, which take a message for one of its channels."""
