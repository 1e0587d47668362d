"""`syncline batch`: bulk operations on the products of a store."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Group, RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.batch_contract import BatchOperation, BatchRequest, BatchRun, BatchStatus
from syncline.apps.commerce.contract import Commerce
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.main.cli.batch_view import parts_table, preview_view, refusal_table, run_table, run_view
from syncline.main.cli.console import AsJson, DataDir, ExitCode, TenantSlug, command, command_group, emit, say
from syncline.main.cli.progress import progress
from syncline.main.cli.working import follow, working
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Bulk operations: preview, run, follow, cancel and retry them.")

StoreName = Annotated[str, typer.Argument(metavar="STORE", help="The store's name.")]
Operation = Annotated[BatchOperation, typer.Argument(metavar="OPERATION", help=", ".join(BatchOperation) + ".")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="One of the operation's updates; may be repeated."),
]
UpdatesJson = Annotated[
    str | None, typer.Option("--updates", metavar="JSON", help="All of the updates, as the API takes them.")
]
Where = Annotated[str | None, typer.Option(help='Which products and variants, like "vendor:Acme".')]
Products = Annotated[list[int] | None, typer.Option("--product", metavar="ID", help="One product; may be repeated.")]
Everything = Annotated[bool, typer.Option("--all", help="Every product of the store.")]
Note = Annotated[str | None, typer.Option(help="A word for whoever reviews it.")]
RunId = Annotated[UUID, typer.Argument(metavar="ID", help="The operation's id, from `syncline batch history`.")]
Page = Annotated[int, typer.Option(min=1, help="Counts from 1.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Rows on a page.")]


def updates_of(sets: list[str] | None, text: str | None) -> dict[str, Any]:
    """From `--updates`, and from each `--set` on top: what reads as JSON is that, everything else a text."""
    found: dict[str, Any] = {}
    if text is not None:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise _wrong("updates", f"--updates is not JSON: {error}.") from error
        if not isinstance(found, dict):
            raise _wrong("updates", '--updates is an object, like {"price": {"percent": 10}}.')
    for one in sets or ():
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise _wrong("set", f"{one!r} cannot be used: write NAME=VALUE, like price=+10%~.99.")
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    """null, lists and objects are JSON; numbers stay the text they are, so that no digit is lost."""
    if text == "none":
        return None
    if text[:1] not in {"[", "{"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError(field, sentence)])


def _where(where: str | None, products: list[int] | None, *, everything: bool) -> str | None:
    if everything and (where or products):
        raise _wrong("all", "Give --all, or --where and --product, not both.")
    if not (everything or products or (where or "").strip()):
        raise _wrong("where", "Say for which products: --where, --product, or --all.")
    return "" if everything else where


@app.command()
@command
async def preview(
    store: StoreName,
    operation: Operation,
    *,
    sets: Sets = None,
    updates: UpdatesJson = None,
    where: Where = None,
    product: Products = None,
    everything: Everything = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what an operation would change: exact counts, and the first hundred changes. Nothing is staged.

    \b
    Examples:
      syncline batch preview summer price --where "vendor:Acme" --set price=+10%~.99
      syncline batch preview summer tags --all --set add=sale --set remove=old --json
    """
    request = BatchRequest(
        store=store,
        operation=operation,
        updates=updates_of(sets, updates),
        where=_where(where, product, everything=everything),
        product_ids=tuple(product or ()),
    )
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).preview_batch(actor=here.actor, request=request)
    emit(asdict(found), as_json=as_json, show=lambda: preview_view(found))


@app.command()
@command
async def run(
    store: StoreName,
    operation: Operation,
    *,
    sets: Sets = None,
    updates: UpdatesJson = None,
    where: Where = None,
    product: Products = None,
    everything: Everything = False,
    note: Note = None,
    key: Annotated[str | None, typer.Option(help="Your own: given twice, it is one operation.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stage an operation, all of it or nothing. Nothing is written to the store until it is approved and pushed.

    A product that cannot be changed so is left out whole and listed; the exit code is 4 then.

    \b
    Examples:
      syncline batch run summer status --where "vendor:Acme status:draft" --set status=active
      syncline batch run summer price --where "tag:sale" --set price=-20%~.99 --set compare_at_price=price
      syncline batch run summer price --all --updates '{"price": {"percent": 3, "rounding": "up"}}'
      syncline batch run summer inventory --where "sku:AB-*" --set available=+5 --set location="Main warehouse"
      syncline batch run summer metafields --where "tag:coat" --set custom.warranty:number_integer=24
      syncline batch run summer collections --product 8010000000001 --set add=summer --key summer-2027
    """
    request = BatchRequest(
        store=store,
        operation=operation,
        updates=updates_of(sets, updates),
        where=_where(where, product, everything=everything),
        product_ids=tuple(product or ()),
        note=note,
        key=key,
    )
    async with open_workspace(data_dir, tenant) as here:
        started = await here.contract(Commerce).start_batch(actor=here.actor, request=request)
        await _see_through(here, started, as_json=as_json)


@app.command()
@command
async def retry(
    run_id: RunId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Repeat an operation: the whole where it failed or was cancelled, else the products it refused.

    \b
    Examples:
      syncline batch retry 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        started = await here.contract(Commerce).retry_batch(actor=here.actor, run_id=run_id)
        await _see_through(here, started, as_json=as_json)


async def _see_through(here: Workspace, started: BatchRun, *, as_json: bool) -> None:
    """To its end, with a worker of this command's own. Exit code 1 when it failed, 4 when products were refused."""
    commerce = here.contract(Commerce)
    if not as_json:
        say(f"Bulk operation {started.id}", style="dim")
    async with working(here):
        with progress(quiet=as_json) as bars:
            bar = bars.bar("products")
            ended = await follow(
                lambda: commerce.get_batch_run(actor=here.actor, run_id=started.id),
                show=lambda run: bar.update(run.processed, run.total),
                is_final=lambda run: run.status.is_final,
            )
    results = await commerce.get_batch_results(actor=here.actor, run_id=ended.id, page=PageRequest(limit=20))
    emit(
        asdict(ended),
        as_json=as_json,
        show=lambda: Group(run_view(ended), parts_table(results.parts), refusal_table(results.refusals)),
    )
    if ended.status is not BatchStatus.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)
    if ended.refused:
        raise typer.Exit(ExitCode.IN_PART)


@app.command()
@command
async def status(
    run_id: RunId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show how far an operation is.

    \b
    Examples:
      syncline batch status 019a2b3c-4d5e-7f60-8123-456789abcdef --json | jq .processed
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).get_batch_run(actor=here.actor, run_id=run_id)
    emit(asdict(found), as_json=as_json, show=lambda: run_view(found))


@app.command()
@command
async def cancel(
    run_id: RunId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Cancel an operation that has not ended. Nothing of it is staged.

    \b
    Examples:
      syncline batch cancel 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).cancel_batch(actor=here.actor, run_id=run_id)
    emit(asdict(found), as_json=as_json, show=lambda: run_view(found))


@app.command()
@command
async def history(
    store: Annotated[str | None, typer.Argument(metavar="[STORE]", help="Only this one's.", show_default=False)] = None,
    *,
    page: Page = 1,
    limit: Limit = 20,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List operations, newest first.

    \b
    Examples:
      syncline batch history summer
      syncline batch history --json | jq '.runs[] | select(.refused > 0)'
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_batch_runs(
            actor=here.actor, store=store, page=PageRequest(page=page, limit=limit)
        )

    def show() -> RenderableType:
        return run_table(found.items) if found.items else "No bulk operation was run yet."

    emit({"runs": [asdict(one) for one in found.items], "total": found.total}, as_json=as_json, show=show)


@app.command()
@command
async def results(
    run_id: RunId,
    *,
    page: Page = 1,
    limit: Limit = 50,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what came of an operation: its batches as they are now, and the products that were refused.

    \b
    Examples:
      syncline batch results 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).get_batch_results(
            actor=here.actor, run_id=run_id, page=PageRequest(page=page, limit=limit)
        )
    emit(
        asdict(found),
        as_json=as_json,
        show=lambda: Group(run_view(found.run), parts_table(found.parts), refusal_table(found.refusals)),
    )
