from __future__ import annotations

from sqlalchemy import Column, Table, Text, Uuid

from syncline.apps.commerce.tables import METADATA, json, moment, text

sheet_mapping = Table(
    "sheet_mapping",
    METADATA,
    Column("tenant_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    json("columns"),
    text("changed_by"),
    moment("changed_at"),
)
