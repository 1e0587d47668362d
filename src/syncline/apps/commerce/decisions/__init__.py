"""What helps people to decide together about staged changes: counts, selections, notes, who is asked, until when."""
