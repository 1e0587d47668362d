"""A double of Attio's records, written from Attio's OpenAPI document and guides (docs.attio.com, November 2026)."""
