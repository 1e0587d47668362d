"""How each store's token was granted, how long it lasts, and renewing it before it ends."""
