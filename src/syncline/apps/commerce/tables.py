"""The app's one MetaData; every feature's `models.py` adds its tables to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from syncline.kernel.ids import new_id
from syncline.runtime.db.base import app_metadata

METADATA = app_metadata("commerce")


def id_column() -> Column[UUID]:
    return Column("id", Uuid, primary_key=True, default=new_id)


def tenant_column() -> Column[UUID]:
    return Column("tenant_id", Uuid, nullable=False)


def store_key() -> Column[UUID]:
    """The first half of a mirror table's key."""
    return Column("store_id", Uuid, primary_key=True)


def big(name: str, *, nullable: bool = False, **more: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable, **more)


def text(name: str, *, nullable: bool = False, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=nullable, **more)


def moment(name: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, **more)


def json(name: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, JSONB(none_as_null=True), nullable=nullable, **more)
