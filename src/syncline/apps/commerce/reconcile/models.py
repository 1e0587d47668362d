from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Uuid

from syncline.apps.commerce.tables import METADATA, id_column, json, moment, tenant_column, text

reconciliation = Table(
    "reconciliation",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=True),
    text("method"),
    Column("agreed", Boolean, nullable=False),
    Column("repaired", Integer, nullable=False),
    json("kinds"),
    json("notes"),
    moment("created_at"),
)
Index("reconciliation_store_idx", reconciliation.c.store_id, reconciliation.c.created_at)
