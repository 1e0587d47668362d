from __future__ import annotations

from sqlalchemy import Column, Index, Table, Uuid

from syncline.apps.commerce.tables import METADATA, id_column, moment, tenant_column, text

# A rule of all stores has no store.
conflict_rule = Table(
    "conflict_rule",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=True),
    text("field"),
    text("choice"),
    text("created_by"),
    Column("created_by_id", Uuid, nullable=True),
    moment("created_at"),
)
Index(
    "conflict_rule_same_idx",
    *(conflict_rule.c.tenant_id, conflict_rule.c.store_id, conflict_rule.c.field),
    unique=True,
    postgresql_nulls_not_distinct=True,
)
