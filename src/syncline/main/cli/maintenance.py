"""`syncline maintenance`: stop the installation, a tenant or a store, and let it go on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import Workspace, open_workspace
from syncline.runtime.controls import stops
from syncline.runtime.controls.stops import Mode

app = command_group("Stop the installation, a tenant or a store, and let it go on.")

Reason = Annotated[str, typer.Option(help="Why; shown to everybody who is refused.")]
StoreName = Annotated[str | None, typer.Option("--store", help="Only this store; else the tenant as a whole.")]


@app.command()
@command
async def status(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what is stopped.

    \b
    Examples:
      syncline maintenance status
    """
    async with open_workspace(data_dir, tenant) as here:
        names = {store.id: store.name for store in await here.contract(Commerce).list_stores(actor=here.actor)}
        async with here.runtime.database.reading(here.tenant.id) as session:
            stop, pauses = await stops.installation_stop(session), await stops.list_pauses(session)
    rows = [] if stop is None else [("installation", stop.mode.value, stop.reason, stop.actor, stop.since)]
    rows += [(_what(one.store_id, names), "paused", one.reason, one.actor, one.since) for one in pauses]
    body = {"installation": stop and asdict(stop), "pauses": [asdict(one) for one in pauses]}

    def show() -> RenderableType:
        return table(("what", "is", "why", "by", "since"), rows) if rows else "Nothing is stopped."

    emit(body, as_json=as_json, show=show)


def _what(store_id: UUID | None, names: dict[UUID, str]) -> str:
    return "tenant" if store_id is None else f"store {names.get(store_id, store_id)}"


@app.command()
@command
async def on(
    *,
    reason: Reason,
    reading: Annotated[
        bool, typer.Option("--reading", help="Leave reading possible; only changes are refused.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stop the installation for every tenant: requests answer 503 with the reason, but for health.

    \b
    Examples:
      syncline maintenance on --reason "The database is moved; back at noon"
      syncline maintenance on --reading --reason "An upgrade is prepared"
    """
    mode = Mode.NO_WRITES if reading else Mode.MAINTENANCE
    async with open_workspace(data_dir) as here, here.runtime.database.system() as session:
        await stops.stop_installation(session, mode, reason=reason, actor=here.actor.name)
    emit({"mode": mode.value}, as_json=as_json, show=lambda: "Stopped. End it with: syncline maintenance off")


@app.command()
@command
async def off(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Let the installation go on.

    \b
    Examples:
      syncline maintenance off
    """
    async with open_workspace(data_dir) as here, here.runtime.database.system() as session:
        await stops.stop_installation(session, Mode.OPEN, reason="", actor=here.actor.name)
    emit({"mode": Mode.OPEN.value}, as_json=as_json, show=lambda: "The installation goes on.")


@app.command()
@command
async def pause(
    *,
    reason: Reason,
    store: StoreName = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Refuse changes of a tenant, or pulls and pushes of one store. What is under way is finished.

    \b
    Examples:
      syncline maintenance pause --reason "Stocktaking until six"
      syncline maintenance pause --store summer --reason "The shop moves to another plan"
    """
    async with open_workspace(data_dir, tenant) as here:
        store_id = await _store_id(here, store)
        async with here.runtime.database.writing(here.tenant.id) as session:
            made = await stops.pause(session, store_id=store_id, reason=reason, actor=here.actor.name)
    emit(asdict(made), as_json=as_json, show=lambda: f"{store or tenant} is paused: {made.reason}")


@app.command()
@command
async def resume(
    *,
    store: StoreName = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a tenant, or a store, go on.

    \b
    Examples:
      syncline maintenance resume
      syncline maintenance resume --store summer
    """
    async with open_workspace(data_dir, tenant) as here:
        store_id = await _store_id(here, store)
        async with here.runtime.database.writing(here.tenant.id) as session:
            was_paused = await stops.resume(session, store_id=store_id)
    sentence = f"{store or tenant} goes on." if was_paused else f"{store or tenant} was not paused."
    emit({"was_paused": was_paused}, as_json=as_json, show=lambda: sentence)


async def _store_id(here: Workspace, name: str | None) -> UUID | None:
    if name is None:
        return None
    for store in await here.contract(Commerce).list_stores(actor=here.actor):
        if name in {store.name, store.shop_domain}:
            return store.id
    raise StoreNotFound(f"No store is called {name}; `syncline stores list` shows the connected ones.")
