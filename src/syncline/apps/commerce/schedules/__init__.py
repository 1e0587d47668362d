"""Schedules: pulls and comparisons that start by themselves, each time once, and say what became of it."""
