"""Which tenants a shop is connected in. Read before a tenant is known: who a webhook is for, whose tokens are due."""
