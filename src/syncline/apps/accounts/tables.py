"""The app's one MetaData; every feature's `models.py` adds its tables to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Text, Uuid

from syncline.runtime.db.base import app_metadata

METADATA = app_metadata("accounts")


def id_column() -> Column[UUID]:
    return Column("id", Uuid, primary_key=True)


def uuid(name: str, *, nullable: bool = False, **more: Any) -> Column[UUID]:
    return Column(name, Uuid, nullable=nullable, **more)


def text(name: str, *, nullable: bool = False, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=nullable, **more)


def moment(name: str, *, nullable: bool = False, **more: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, **more)
