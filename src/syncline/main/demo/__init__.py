"""What the demo needs besides the product itself: a place of its own, a shop it can look into, a sheet, and the counts
that have to agree. The steps it takes are in `cli/demo_steps.py`, with the commands whose output it shows."""
