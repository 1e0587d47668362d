from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, FetchedValue, Index, Table, Uuid, false
from sqlalchemy.dialects.postgresql import ARRAY

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
    text("vendor", server_default=""),
    text("assignee", nullable=True),
    Column("assignee_id", Uuid, nullable=True),
    moment("expires_at", nullable=True),
    text("direction", server_default="outbound"),
)
Index(
    "staged_change_inbound_idx",
    *(staged_change.c.store_id, staged_change.c.kind, staged_change.c.resource_id),
    postgresql_where=(staged_change.c.direction == "inbound") & (staged_change.c.status == "pending"),
)
Index("staged_change_tenant_idx", staged_change.c.tenant_id, staged_change.c.id)
Index("staged_change_batch_idx", staged_change.c.batch_id, staged_change.c.id)
Index("staged_change_queue_idx", staged_change.c.store_id, staged_change.c.status, staged_change.c.product_id)

# What people say to each other about a change. Its own `note` is the last word of whoever staged or decided it.
change_note = Table(
    "change_note",
    METADATA,
    id_column(),
    tenant_column(),
    Column("change_id", Uuid, nullable=False),
    text("author"),
    text("text"),
    moment("created_at"),
)
Index("change_note_change_idx", change_note.c.change_id, change_note.c.id)

# Changes as they matched at one moment: what is staged later, or comes to match later, is not in it.
change_selection = Table(
    "change_selection",
    METADATA,
    id_column(),
    tenant_column(),
    text("search"),
    Column("ids", ARRAY(Uuid), nullable=False),
    text("created_by"),
    moment("created_at"),
    moment("expires_at"),
)
Index("change_selection_tenant_idx", change_selection.c.tenant_id, change_selection.c.expires_at)

# When the first change of a batch expires that nobody has decided. Apart and without row security, as `schedule_due`
# is: one tick looks for all tenants, and ids and times are all it holds.
change_expiry = Table(
    "change_expiry",
    METADATA,
    Column("batch_id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
    moment("due_at"),
)
Index("change_expiry_due_idx", change_expiry.c.due_at)

# How many changes there are, written by triggers of `staged_change`: the sum of `n` is the count. Each statement adds
# rows; now and then they are folded into one a group.
change_tally = Table(
    "change_tally",
    METADATA,
    Column("id", BigInteger, FetchedValue(), primary_key=True),
    tenant_column(),
    Column("store_id", Uuid, nullable=False),
    text("kind"),
    text("vendor"),
    text("status"),
    Column("n", BigInteger, nullable=False),
    Column("is_folded", Boolean, nullable=False, server_default=false()),
)
Index(
    "change_tally_folded_idx",
    *(change_tally.c.tenant_id, change_tally.c.store_id, change_tally.c.kind, change_tally.c.vendor),
    change_tally.c.status,
    unique=True,
    postgresql_where=change_tally.c.is_folded,
)
Index("change_tally_new_idx", change_tally.c.tenant_id, postgresql_where=~change_tally.c.is_folded)
