"""A double of Smartlead's API, written from Smartlead's documents and, where these contradict each other, from what
others saw of the live service; each such place has a switch."""
