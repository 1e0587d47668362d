"""Commands that change something: each leaves an entry in the audit trail, and none runs while changes are stopped."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

# Typer has a Click of its own; what tells the command that runs is not among its public names.
from typer.main import get_current_context  # type: ignore[attr-defined]

from syncline.kernel.errors import DomainError, SynclineError
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.audit.origin import origin
from syncline.runtime.audit.trail import record
from syncline.runtime.controls.stops import require_open

WRITES = frozenset(
    {
        "stores add",
        "stores test",
        "stores token",
        "stores remove",
        "stores install",
        "stores api-secret",
        "stores app set",
        "stores app rotate",
        "stores app remove",
        "stores review",
        "pull",
        "change",
        "product create",
        "product delete",
        "import",
        "align",
        "sheet map",
        "sheet unmap",
        "review approve",
        "review reject",
        "review resolve",
        "review rule",
        "review select",
        "review note",
        "review assign",
        "review expire",
        "conflicts settle",
        "conflicts set-rule",
        "conflicts remove-rule",
        "push",
        "sync start",
        "sync pause",
        "sync resume",
        "sync stop",
        "batch run",
        "batch cancel",
        "batch retry",
        "rollback",
        "reconcile",
        "schedule add",
        "schedule pause",
        "schedule resume",
        "schedule remove",
        "schedule run-now",
        "keys create",
        "keys revoke",
        "keys rotate",
        "keys rotate-encryption",
        "keys rotate-signing",
        "oidc add",
        "oidc remove",
        "users invite",
        "users remove",
        "users reset-password",
        "users role",
        "outreach cancel",
        "outreach connect",
        "outreach disconnect",
        "outreach follow",
        "outreach jobs disable",
        "outreach jobs enable",
        "outreach jobs trigger",
        "outreach keys",
        "outreach namespaces create",
        "outreach namespaces update",
        "outreach reconcile",
        "outreach sync",
        "outreach test",
        "outreach webhooks add",
        "outreach webhooks remove",
        "webhooks register",
        "webhooks remove",
        "webhooks check",
        "webhooks reconcile",
        "webhooks retry",
        "webhooks mark-failed",
        "notify add",
        "notify change",
        "notify remove",
        "notify test",
        "dead-letters retry",
        "dead-letters discard",
        "limits forget",
        "limits reset",
        "limits set",
        "privacy erase",
        "privacy replay",
        "privacy consent",
        "privacy do-not-sell",
        "privacy retention",
        "privacy keep",
        "privacy complete",
    }
)
ENDS_A_STOP = frozenset({"maintenance on", "maintenance off", "maintenance pause", "maintenance resume"})
"""Writes too, that run while everything is stopped."""

READS_PEOPLE = frozenset(
    {"privacy export", "privacy choices", "privacy erasures", "privacy requests", "webhooks show", "webhooks diff"}
)
"""Change nothing, and are never refused; that somebody's data was looked at is recorded."""

_SECRET = re.compile(r"(.*_)?(token|secret|password|key|seed|code)")
_PERSON = frozenset({"whom", "email", "person"})
"""Who is meant is not written into a trail that nobody can be erased from: the first letter tells an auditor enough."""
_LONGEST = 200


def command_name() -> str:
    """`stores add`, of the command that runs; empty outside of one."""
    context, names = get_current_context(silent=True), list[str]()
    while context is not None and context.parent is not None:
        names.append(context.info_name or "")
        context = context.parent
    return " ".join(reversed(names))


@asynccontextmanager
async def written(runtime: Runtime, actor: Actor) -> AsyncIterator[None]:
    """Around what a command does. Raises what `require_open` raises, for a command that changes something."""
    name = command_name()
    if name not in WRITES | ENDS_A_STOP | READS_PEOPLE:
        yield
        return
    if name in WRITES:
        async with runtime.database.reading(actor.tenant_id) as session:
            await require_open(session)
    outcome = "failed"
    with origin(None) as here:
        try:
            yield
            outcome = "done"
        except DomainError as error:
            outcome = error.code
            raise
        except SynclineError as error:
            outcome = type(error).__name__
            raise
        finally:
            told = here.told() if outcome == "done" else {"details": {}}
            details = {**_options(), **told.pop("details")}
            async with runtime.database.writing(actor.tenant_id) as session:
                await record(session, actor=actor, action=f"syncline {name}", outcome=outcome, details=details, **told)


def _options() -> Mapping[str, Any]:
    """What was said to the command, without secrets."""
    context = get_current_context(silent=True)
    told = {} if context is None else context.params
    return {
        name: _hidden(str(value)) if name in _PERSON else _told(value)
        for name, value in told.items()
        if value is not None and name not in {"as_json", "data_dir"} and not _SECRET.fullmatch(name)
    }


def _told(value: object) -> object:
    return str(value)[:_LONGEST] if isinstance(value, str | Path) else value


def _hidden(whom: str) -> str:
    return f"{whom[:1]}…@…" if "@" in whom else whom[:_LONGEST]
