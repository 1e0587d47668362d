"""Several stores of one tenant: fields of one copied to another, by SKU or handle, through the same review."""
