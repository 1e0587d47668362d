from __future__ import annotations

from sqlalchemy import Column, Index, Table, Uuid

from syncline.apps.commerce.tables import METADATA, big, id_column, json, moment, tenant_column, text

change_batch = Table(
    "change_batch",
    METADATA,
    id_column(),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("kind"),
    text("summary"),
    text("author"),
    Column("author_id", Uuid, nullable=True),
    Column("reverts_id", Uuid, nullable=True),
    moment("created_at"),
)
Index("change_batch_store_idx", change_batch.c.store_id, change_batch.c.created_at)
Index("change_batch_tenant_idx", change_batch.c.tenant_id, change_batch.c.id)

staged_change = Table(
    "staged_change",
    METADATA,
    id_column(),
    tenant_column(),
    Column("batch_id", Uuid, nullable=False),
    Column("store_id", Uuid, nullable=False),
    text("kind"),
    big("resource_id"),
    big("location_id", nullable=True),
    big("product_id"),
    text("label"),
    json("before"),
    json("after"),
    json("theirs", nullable=True),
    text("status"),
    text("author"),
    text("reviewer", nullable=True),
    text("note", nullable=True),
    text("sentence", nullable=True),
    Column("reverts_id", Uuid, nullable=True),
    Column("push_run_id", Uuid, nullable=True),
    big("attempt"),
    moment("created_at"),
    moment("reviewed_at", nullable=True),
)
Index("staged_change_tenant_idx", staged_change.c.tenant_id, staged_change.c.id)
Index("staged_change_batch_idx", staged_change.c.batch_id, staged_change.c.id)
Index("staged_change_queue_idx", staged_change.c.store_id, staged_change.c.status, staged_change.c.product_id)
