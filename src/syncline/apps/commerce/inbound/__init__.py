"""Changes that somebody made in the store itself, staged for review as a pull sees them.

Refuses to hold the mirror back: it says what the store says, also while somebody thinks about it. What the reviewed
state of a field is stands in the change."""
