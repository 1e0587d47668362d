"""A double of Slack's incoming webhooks, written from Slack's documents.

Sources, read 2026-11: "Sending messages using incoming webhooks", "Rate limits", "Formatting text", "Block Kit", and
the change log of 2016-05-17 on errors of incoming webhooks.
"""
