"""The apps that a tenant has at Shopify: client id, sealed secrets, the scopes they ask for."""
