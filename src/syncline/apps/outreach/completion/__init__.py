"""Telling a webhook of the caller that a run has ended."""
