"""Connected shops: their address, sealed token and what the shop says of itself."""
