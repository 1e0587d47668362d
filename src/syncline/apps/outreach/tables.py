"""The app's one MetaData; every feature's `models.py` adds its tables to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from syncline.runtime.db.base import app_metadata

METADATA = app_metadata("outreach")


def tenant_column(*, is_key: bool = False) -> Column[UUID]:
    return Column("tenant_id", Uuid, primary_key=is_key, nullable=False)


def big(name: str, *, nullable: bool = False, **more: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable, **more)


def text(name: str, *, nullable: bool = False, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=nullable, **more)


def moment(name: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, **more)


def json(name: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, JSONB(none_as_null=True), nullable=nullable, **more)
