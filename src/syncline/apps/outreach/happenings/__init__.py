"""What the tools tell, understood: happenings with an identity, and how they become rows."""
