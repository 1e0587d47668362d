"""Reading lemlist and Smartlead into `event_source`: asking, planning, chunks with cursors, and their end."""
