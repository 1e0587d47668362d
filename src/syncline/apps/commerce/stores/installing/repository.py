from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, insert, select, update

from syncline.apps.commerce.contract.connecting import Install, InstallStatus
from syncline.apps.commerce.stores.credentials.models import shopify_app
from syncline.apps.commerce.stores.installing.models import store_install
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class InstallRow:
    """An install with what only this app may see of it."""

    install: Install
    app_id: UUID
    base_url: str | None
    browser: bytes | None = field(repr=False)


_COLUMNS = (*store_install.c, shopify_app.c.client_id)


def _row(row: RowMapping) -> InstallRow:
    status = InstallStatus(row["status"])
    is_late = status in {InstallStatus.WAITING, InstallStatus.FINISHING} and row["expires_at"] <= clock.now()
    install = Install(
        id=row["id"],
        shop_domain=row["shop_domain"],
        store=row["name"],
        client_id=row["client_id"],
        status=InstallStatus.EXPIRED if is_late else status,
        sentence=row["sentence"],
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        return_to=row["return_to"],
    )
    return InstallRow(install, row["app_id"], row["base_url"], row["browser"])


def _select(session: Session) -> Any:
    joined = store_install.join(shopify_app, shopify_app.c.id == store_install.c.app_id)
    return select(*_COLUMNS).select_from(joined).where(store_install.c.tenant_id == session.tenant_id)


async def add(session: WriteSession, values: dict[str, Any]) -> InstallRow:
    row_id = new_id()
    row = {"id": row_id, "tenant_id": session.tenant_id, "status": InstallStatus.WAITING, "created_at": clock.now()}
    await session.execute(insert(store_install).values(**row, **values))
    found = await find(session, row_id)
    assert found is not None
    return found


async def find(session: Session, install_id: UUID) -> InstallRow | None:
    row = (await session.execute(_select(session).where(store_install.c.id == install_id))).mappings().one_or_none()
    return None if row is None else _row(row)


async def find_by_state(session: Session, state: bytes) -> InstallRow | None:
    row = (await session.execute(_select(session).where(store_install.c.state == state))).mappings().one_or_none()
    return None if row is None else _row(row)


async def list_since(session: Session, since: datetime) -> Sequence[InstallRow]:
    """The newest first."""
    query = _select(session).where(store_install.c.created_at >= since)
    rows = await session.execute(query.order_by(store_install.c.created_at.desc(), store_install.c.id.desc()))
    return [_row(row) for row in rows.mappings()]


async def take(session: WriteSession, install_id: UUID) -> bool:
    """Once: whoever comes second finds it taken."""
    query = (
        update(store_install)
        .where(
            store_install.c.tenant_id == session.tenant_id,
            store_install.c.id == install_id,
            store_install.c.status == InstallStatus.WAITING,
            store_install.c.expires_at > clock.now(),
        )
        .values(status=InstallStatus.FINISHING)
        .returning(store_install.c.id)
    )
    return (await session.execute(query)).one_or_none() is not None


async def change(session: WriteSession, install_id: UUID, **values: Any) -> None:
    query = update(store_install).where(
        store_install.c.tenant_id == session.tenant_id, store_install.c.id == install_id
    )
    await session.execute(query.values(**values))


async def remove_before(session: WriteSession, moment: datetime) -> None:
    query = delete(store_install).where(
        store_install.c.tenant_id == session.tenant_id, store_install.c.created_at < moment
    )
    await session.execute(query)
