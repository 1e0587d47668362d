"""The tables of outreach, one file per step."""
