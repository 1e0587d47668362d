"""The first page's numbers: how much there is, what was sold in a span of time, and whether webhooks arrive."""
