from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import OperationKind
from syncline.apps.operations.channels import repository
from syncline.apps.operations.channels.address import check_address
from syncline.apps.operations.contract import (
    AddedChannel,
    BadChannel,
    Channel,
    ChannelExists,
    ChannelKind,
    ChannelNotFound,
)
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor
from syncline.runtime.connect.guard import Guard
from syncline.runtime.connect.standard_webhooks import make_secret
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.secrets import SecretBox

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ASSIGNMENT = "assignment"
"""Somebody was asked to decide: no operation, but told like one."""
KNOWN = (*(kind.value for kind in OperationKind), ASSIGNMENT)
MOST = 50
"""Channels of one tenant: every one is told of everything it asked for."""


async def add(
    session: WriteSession,
    secrets: SecretBox,
    guard: Guard,
    *,
    actor: Actor,
    name: str,
    kind: ChannelKind,
    target: str,
    operations: Sequence[str],
    only_failures: bool,
) -> AddedChannel:
    if not _NAME.fullmatch(name):
        raise _bad("name", "Use lower-case letters, digits and dashes, at most 63, like night-shift.")
    shown = check_address(kind, target, guard)
    if len(await repository.list_all(session)) >= MOST:
        raise _bad("name", f"There are {MOST} channels already; remove one that is not needed.")
    secret = make_secret() if kind is ChannelKind.WEBHOOK else None
    values = {
        "id": new_id(),
        "name": name,
        "kind": kind.value,
        "target": shown,
        "sealed_address": secrets.seal(target),
        "sealed_secret": None if secret is None else secrets.seal(secret),
        "operations": list(_known(operations)),
        "only_failures": only_failures,
        "is_enabled": True,
        "created_by": actor.name,
        "created_at": clock.now(),
    }
    try:
        async with session.begin_nested():
            row = await repository.add(session, values)
    except IntegrityError as error:
        raise ChannelExists(f"There is a channel “{name}” already. Choose another name, or remove it first.") from error
    return AddedChannel(repository.view(row), secret)


async def list_all(session: Session) -> Sequence[Channel]:
    return [repository.view(row) for row in await repository.list_all(session)]


async def get_row(session: Session, name: str) -> Row[Any]:
    row = await repository.find(session, name)
    if row is None:
        raise ChannelNotFound(f"There is no channel “{name}”; `syncline notify list` shows them.")
    return row


async def change(
    session: WriteSession,
    name: str,
    *,
    operations: Sequence[str] | None,
    only_failures: bool | None,
    is_enabled: bool | None,
) -> Channel:
    row = await get_row(session, name)
    values: dict[str, Any] = {}
    if operations is not None:
        values["operations"] = list(_known(operations))
    if only_failures is not None:
        values["only_failures"] = only_failures
    if is_enabled is not None:
        values |= {"is_enabled": is_enabled, "disabled_because": None}
    return repository.view(await repository.change(session, row.id, values) if values else row)


async def remove(session: WriteSession, name: str) -> None:
    if not await repository.remove(session, name):
        raise ChannelNotFound(f"There is no channel “{name}”; `syncline notify list` shows them.")


def _known(operations: Sequence[str]) -> Sequence[str]:
    for name in operations:
        if name not in KNOWN:
            raise _bad("operations", f"“{name}” is none of {', '.join(KNOWN)}.")
    return tuple(dict.fromkeys(operations))


def _bad(field: str, sentence: str) -> BadChannel:
    return BadChannel(sentence, fields=[FieldError(field, sentence)])
