from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from syncline.apps.outreach.connections import repository
from syncline.apps.outreach.connections.kinds import KINDS, Kind, wrong_with
from syncline.apps.outreach.settings import OutreachSettings
from syncline.kernel import clock
from syncline.kernel.errors import Conflict, ConnectorOutcome, FieldError, InvalidInput, NotFound
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession


class ConnectionNotFound(NotFound):
    code = "LINK_001"
    title = "This tool is not connected"


class BadConnection(InvalidInput):
    code = "LINK_002"
    title = "The connection is not valid"


class ConnectionRefused(Conflict):
    code = "LINK_003"
    title = "The tool does not take this connection"


@dataclass(frozen=True, slots=True)
class Connection:
    """Without what is secret. `sentence` says what the last test found wrong; None when it found nothing."""

    platform: str
    facts: Mapping[str, Any]
    created_by: str
    created_at: datetime
    checked_at: datetime | None
    sentence: str | None


async def put(runtime: Runtime, actor: Actor, platform: str, given: Mapping[str, Any]) -> Connection:
    """Asks the tool first: what does not work is not kept. Raises `BadConnection`, `ConnectionRefused`."""
    kind, told = _kind(platform), {name: value for name, value in given.items() if value is not None}
    settings = runtime.settings_of("outreach", OutreachSettings)
    if wrong := wrong_with(kind, told, allow_sandbox=settings.allow_sandbox_urls):
        raise BadConnection(f"{wrong[0].field}: {wrong[0].message}", fields=wrong)
    try:
        await kind.check(told)
    except ConnectorOutcome as error:
        raise ConnectionRefused(f"{error.sentence} Nothing was kept.") from error
    secret = {name: told[name] for name in kind.secret}
    facts = {name: value for name, value in told.items() if name not in kind.secret}
    now = clock.now()
    values = {
        "facts": facts,
        "sealed": runtime.secrets.seal(msgspec.json.encode(secret).decode()),
        "created_by": actor.name,
        "created_at": now,
        "checked_at": now,
        "sentence": None,
    }
    async with runtime.database.writing(actor.tenant_id) as session:
        row = await repository.put(session, platform, values)
        note_change(f"connection {platform}", after=facts)
        return _view(row)


async def test(runtime: Runtime, actor: Actor, platform: str) -> tuple[Connection, str]:
    """The connection and what the tool told. Raises `ConnectionNotFound`, `ConnectionRefused`."""
    kind = _kind(platform)
    told = await secrets_of(runtime, actor.tenant_id, platform)
    said, sentence = "", None
    try:
        said = await kind.check(told)
    except ConnectorOutcome as error:
        sentence = error.sentence
    async with runtime.database.writing(actor.tenant_id) as session:
        await repository.change(session, platform, checked_at=clock.now(), sentence=sentence)
        row = await repository.find(session, platform)
    if row is None:
        raise missing(platform)
    if sentence is not None:
        raise ConnectionRefused(sentence)
    return _view(row), said


async def secrets_of(runtime: Runtime, tenant_id: TenantId, platform: str) -> dict[str, Any]:
    """All that a client is made with. Raises `ConnectionNotFound`."""
    async with runtime.database.reading(tenant_id) as session:
        row = await repository.find(session, platform)
    if row is None:
        raise missing(platform)
    return {**row.facts, **msgspec.json.decode(runtime.secrets.open(row.sealed))}


async def list_all(session: Session) -> Sequence[Connection]:
    return [_view(row) for row in await repository.list_all(session)]


async def remove(session: WriteSession, platform: str) -> None:
    """What was read and delivered stays. Raises `ConnectionNotFound`."""
    if not await repository.remove(session, _kind(platform).name):
        raise missing(platform)
    note_change(f"connection {platform}", before={"platform": platform})


def missing(platform: str) -> ConnectionNotFound:
    return ConnectionNotFound(f"{platform} is not connected; connect it with `syncline outreach connect {platform}`.")


def _kind(platform: str) -> Kind:
    kind = KINDS.get(platform)
    if kind is None:
        sentence = f"“{platform[:40]}” is none of {', '.join(KINDS)}."
        raise BadConnection(sentence, fields=[FieldError("platform", sentence)])
    return kind


def _view(row: Row[Any]) -> Connection:
    return Connection(row.platform, row.facts, row.created_by, row.created_at, row.checked_at, row.sentence)
