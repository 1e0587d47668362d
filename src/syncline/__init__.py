"""Syncline: one installation that keeps shop, outreach, analytics and teaching in step."""

__version__ = "0.1.0"
