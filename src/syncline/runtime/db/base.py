"""What the tables of every app are declared with.

class Base(DeclarativeBase):
    metadata = app_metadata("commerce")
    type_annotation_map = COLUMN_TYPES

class Product(TenantRow, Base):
    __tablename__ = "product"
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, MetaData, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from syncline.kernel.tenant import TenantId

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

UtcTimestamp = TIMESTAMP(timezone=True)

COLUMN_TYPES: Final[Mapping[Any, TypeEngine[Any] | type[TypeEngine[Any]]]] = {
    str: Text(),
    int: BigInteger(),
    bytes: LargeBinary(),
    UUID: Uuid(),
    TenantId: Uuid(),
    Decimal: Numeric(),
    datetime: UtcTimestamp,
    dict[str, Any]: JSONB(),
    list[dict[str, Any]]: JSONB(),
    list[str]: ARRAY(Text()),
    list[int]: ARRAY(BigInteger()),
}
"""Python types of columns. Text has no length: a limit is a rule of the app, with a sentence of its own."""


def app_metadata(app: str) -> MetaData:
    """Metadata of one app: its tables live in the schema of its name, and constraints have predictable names."""
    return MetaData(schema=app, naming_convention=_NAMES)


class TenantRow:
    """A row that belongs to a tenant. Its migration calls `isolate_tenant`."""

    tenant_id: Mapped[TenantId] = mapped_column(Uuid(), primary_key=True, sort_order=-100)
