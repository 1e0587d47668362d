"""`syncline privacy`: what Shopify asks for people and shops, and the day it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.compliance_contract import PrivacyRequest
from syncline.apps.commerce.contract import Commerce
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit, table
from syncline.main.cli.outcome import status_text
from syncline.main.cli.privacy import app
from syncline.main.cli.workspace import open_workspace


def _view(found: Sequence[PrivacyRequest]) -> RenderableType:
    rows = (
        (one.id, one.topic.value, one.store, one.customer, status_text(one.status.value), one.due_at, one.sentence)
        for one in found
    )
    return table(("request", "topic", "store", "customer", "status", "due", "what"), rows)


@app.command()
@command
async def requests(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Completed ones too.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what Shopify asked for people and shops, what is due first at the top.

    Erasures begin by themselves. Data that somebody asked for is put together as an export; hand it out, and say so
    with `privacy complete`.

    \b
    Examples:
      syncline privacy requests
      syncline privacy requests --all --json
    """
    async with open_workspace(data_dir, tenant) as here:
        wanted = None if everything else True
        found = await here.contract(Commerce).list_privacy_requests(actor=here.actor, is_open=wanted)
    value = {"requests": [asdict(one) for one in found]}
    emit(value, as_json=as_json, show=lambda: _view(found) if found else "Nothing is asked for.")


@app.command()
@command
async def complete(
    request: Annotated[UUID, typer.Argument(metavar="ID", help="The request, from `privacy requests`.")],
    *,
    note: Annotated[str, typer.Option(help="What was done, without naming the person: it is kept.")] = "",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say that a request was answered, such as that the data was handed out.

    \b
    Examples:
      syncline privacy complete 01a20193-4e72-70e7-a846-5fae67bee546 --note "Sent by the shop's owner"
    """
    async with open_workspace(data_dir, tenant) as here:
        done = await here.contract(Commerce).complete_privacy_request(actor=here.actor, request_id=request, note=note)
    emit(asdict(done), as_json=as_json, show=lambda: _view([done]))
