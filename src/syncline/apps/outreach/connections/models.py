from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, Text, Uuid

from syncline.apps.outreach.tables import METADATA, json, moment, tenant_column, text

connection = Table(
    "connection",
    METADATA,
    tenant_column(is_key=True),
    text("platform", primary_key=True),
    json("facts"),
    Column("sealed", LargeBinary, nullable=False),
    text("created_by"),
    moment("created_at"),
    moment("checked_at", nullable=True),
    text("sentence", nullable=True),
)
"""`facts` are the parts that are no secret: base URL, plan, project. `sentence` is what the last test found wrong."""

directory = Table(
    "directory",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("tenant", Uuid, primary_key=True),
)
"""Whose something is, asked before a tenant is known: a run by its id, a webhook's door by its digest, and which
tenants there are to synchronise. Ids and digests only."""
