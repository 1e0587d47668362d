from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table
from sqlalchemy import text as sql

from syncline.apps.outreach.tables import METADATA, big, json, moment, tenant_column, text

event_source = Table(
    "event_source",
    METADATA,
    tenant_column(is_key=True),
    text("event_key", primary_key=True),
    text("platform"),
    text("campaign_id"),
    text("event_type"),
    text("email", nullable=True),
    text("namespace"),
    text("activity_id", nullable=True),
    big("timestamp_ms", nullable=True),
    Column("identity_hash", LargeBinary, nullable=False),
    moment("occurred_at", nullable=True),
    json("properties", nullable=True),
    text("source"),
    moment("created_at"),
    Index("event_source_namespace_idx", "tenant_id", "namespace", "occurred_at"),
    Index("event_source_email_idx", "tenant_id", "email", postgresql_where=sql("email IS NOT NULL")),
)
"""`email` is null once its person was forgotten, empty where the tool named nobody."""

key_count = Table(
    "key_count", METADATA, tenant_column(is_key=True), big("generated"), big("collisions"), big("invalid")
)

forgotten = Table(
    "forgotten", METADATA, tenant_column(is_key=True), Column("digest", LargeBinary, primary_key=True, nullable=False)
)
"""Digests of addresses that are kept out: what comes again of such a person is stored without him."""
