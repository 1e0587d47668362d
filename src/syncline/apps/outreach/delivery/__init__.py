"""Mixpanel exactly once: a receipt for each event, batches, and reading back what became of an uncertain one."""
