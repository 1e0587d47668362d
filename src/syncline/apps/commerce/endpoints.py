"""`/api/enhanced-sync` and `/api/shopify/stores`: the contract over HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from os import SEEK_END
from typing import Annotated, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeBatch,
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    Commerce,
    FileNotWritten,
    ImportResult,
    NothingToDo,
    PullAlreadyRunning,
    PullRun,
    PushAlreadyRunning,
    PushRun,
    Reconciliation,
    RunNotFound,
    SheetRefused,
    StagedChange,
    Store,
    StoreExists,
    StoreNotFound,
    StoreRefused,
    TooLongForFormat,
)
from syncline.apps.commerce.contract.decisions import Decided, SelectionNotFound
from syncline.apps.commerce.schemas import (
    BatchList,
    ChangeList,
    ChangeSelection,
    ConflictResolution,
    EditCreate,
    PullStart,
    PushStart,
    ReceiptList,
    ReconcileStart,
    Reviewed,
    RollbackCreate,
    StatusList,
    StoreCreate,
    StoreList,
    TokenReplace,
)
from syncline.apps.commerce.sheet_contract import MappingNotFound
from syncline.apps.commerce.transfer.export.service import ExportKind
from syncline.apps.commerce.transfer.formats import MEDIA_TYPES, FileFormat
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, pagination, uses
from syncline.runtime.http.limits import accepts_bytes
from syncline.runtime.http.problems import problems

stores = APIRouter(prefix="/api/shopify/stores", tags=["stores"])
sync = APIRouter(prefix="/api/enhanced-sync", tags=["enhanced sync"])
ROUTERS = (stores, sync)

LARGEST_SHEET_BYTES = 200_000_000
"""A product CSV of half a million variants; it goes to a file as it comes and is never held in memory."""

REVIEW_PROBLEMS = problems(StoreNotFound, BatchNotFound, SelectionNotFound, ChangeNotReviewable)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
StoreReader = Annotated[Actor, Depends(require("stores:read"))]
StoreKeeper = Annotated[Actor, Depends(require("stores:manage"))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Puller = Annotated[Actor, Depends(require("catalog:pull"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]
Approver = Annotated[Actor, Depends(require("changes:approve"))]
Pusher = Annotated[Actor, Depends(require("changes:push"))]
CatalogReader = Annotated[Actor, Depends(require("catalog:read"))]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PIECE_BYTES = 1 << 18


@stores.get("", summary="List the connected stores")
async def list_stores(actor: StoreReader, commerce: Commerced) -> StoreList:
    return StoreList(stores=list(await commerce.list_stores(actor=actor)))


@stores.post("", status_code=201, summary="Connect a store", responses=problems(StoreRefused, StoreExists))
async def add_store(body: StoreCreate, actor: StoreKeeper, commerce: Commerced) -> Store:
    """The shop is asked first: a wrong address, token or scope is refused with the one thing to change."""
    return await commerce.add_store(
        actor=actor,
        name=body.name,
        shop_domain=body.shop_domain,
        token=body.token.get_secret_value(),
        base_url=body.base_url,
        api_version=body.api_version,
    )


@stores.post("/{name}/test", summary="Ask a store again", responses=problems(StoreNotFound, StoreRefused))
async def test_store(name: str, actor: StoreKeeper, commerce: Commerced) -> Store:
    """Checks address, token and scopes, and keeps what the shop says of itself."""
    return await commerce.test_store(actor=actor, store=name)


@stores.put("/{name}/token", summary="Replace a store's token", responses=problems(StoreNotFound, StoreRefused))
async def replace_token(name: str, body: TokenReplace, actor: StoreKeeper, commerce: Commerced) -> Store:
    """After a token was revoked or given other scopes. The shop is asked with the new one before it is kept."""
    return await commerce.replace_token(actor=actor, store=name, token=body.token.get_secret_value())


@stores.get(
    "/{name}/export",
    summary="Download products or stock",
    response_class=StreamingResponse,
    responses={
        **problems(StoreNotFound, NothingToDo, TooLongForFormat, FileNotWritten),
        200: {"description": "The file", "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY)},
    },
)
async def export_store(
    name: str,
    actor: CatalogReader,
    commerce: Commerced,
    format: Annotated[FileFormat, Query(description="The kind of file")] = FileFormat.CSV,  # noqa: A002
    kind: Annotated[ExportKind, Query(description="Products, or stock by location")] = ExportKind.PRODUCTS,
    q: Annotated[str, Query(description="The search syntax; everything, when empty", examples=["vendor:Acme"])] = "",
    columns: Annotated[list[str] | None, Query(description="Only these; may be given several times")] = None,
    marks: Annotated[bool, Query(description="CSV only: an apostrophe where a spreadsheet would compute")] = True,
) -> StreamingResponse:
    """The file is written whole before its first byte is sent: an error is an error and never half a file, and a slow
    reader holds no transaction. Products come with all their variants."""
    file = tempfile.TemporaryFile(prefix="syncline-export-")  # noqa: SIM115 - closed when it has been sent
    try:
        result = await commerce.export_store(
            actor=actor, store=name, file=file, format=format, kind=kind, where=q, columns=columns or (), marks=marks
        )
    except BaseException:
        file.close()
        raise
    size = file.seek(0, SEEK_END)
    file.seek(0)
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{result.store}-{kind}.{format}"',
        "X-Row-Count": str(result.rows),
    }
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPES[format], headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


@sync.get("/status", summary="Where the stores stand", responses=problems(StoreNotFound))
async def status(
    actor: Reader, commerce: Commerced, store: Annotated[str | None, Query(description="Only this one")] = None
) -> StatusList:
    """Records in the mirror, changes by status, the last pull, push and reconciliation of each store."""
    names = [store] if store is not None else [one.name for one in await commerce.list_stores(actor=actor)]
    return StatusList(stores=[await commerce.overview(actor=actor, store=name) for name in names])


@sync.post(
    "/shopify-down", status_code=202, summary="Pull a store", responses=problems(StoreNotFound, PullAlreadyRunning)
)
async def shopify_down(body: PullStart, actor: Puller, commerce: Commerced) -> PullRun:
    """Starts a pull; follow it at `/api/enhanced-sync/pulls/{id}`. A second one while it runs is refused with its
    id."""
    return await commerce.start_pull(
        actor=actor, store=body.store, mode=body.mode, streams=body.streams, path=body.path
    )


@sync.get("/pulls/{run_id}", summary="Follow a pull", responses=problems(RunNotFound))
async def get_pull(run_id: UUID, actor: Reader, commerce: Commerced) -> PullRun:
    return await commerce.get_pull(actor=actor, run_id=run_id)


@sync.post("/pulls/{run_id}/cancel", summary="Cancel a pull", responses=problems(RunNotFound))
async def cancel_pull(run_id: UUID, actor: Puller, commerce: Commerced) -> PullRun:
    """What is stored stays; workers stop at their next chunk."""
    return await commerce.cancel_pull(actor=actor, run_id=run_id)


@sync.post("/stage", status_code=201, summary="Stage a bulk edit", responses=problems(StoreNotFound, NothingToDo))
async def stage_edit(body: EditCreate, actor: Stager, commerce: Commerced) -> ChangeBatch:
    """Nothing is written to the store: the differences wait for review."""
    return await commerce.stage_edit(actor=actor, store=body.store, where=body.where, edits=body.edits, note=body.note)


@sync.post(
    "/import",
    summary="Stage a sheet",
    responses=problems(StoreNotFound, SheetRefused, MappingNotFound),
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY)}},
)
@accepts_bytes(LARGEST_SHEET_BYTES)
async def import_sheet(
    request: Request,
    actor: Stager,
    commerce: Commerced,
    store: Annotated[str, Query()],
    keep_good: Annotated[bool, Query(description="Stage the rows without errors")] = False,
    ignore_unknown: Annotated[bool, Query(description="Leave out columns that are not known")] = False,
    encoding: Annotated[str | None, Query(description="Found out, when left out", examples=["cp1252"])] = None,
    location: Annotated[str | None, Query(description="Where the sheet's quantities are")] = None,
    name: Annotated[str, Query(description="What the batch calls it", examples=["prices.csv"])] = "a sheet",
    create: Annotated[bool, Query(description="Make products that the store does not have")] = False,
    mapping: Annotated[str | None, Query(description="A mapping of columns that was kept")] = None,
) -> ImportResult:
    """The body is the file: CSV in any of Shopify's column sets, Excel, JSON, JSON Lines or Parquet, told apart by its
    first bytes. One error refuses the sheet, listing all of them, unless `keep_good` is set. A blank cell
    changes nothing."""
    with tempfile.NamedTemporaryFile(prefix="syncline-import-") as file:
        async for piece in request.stream():
            file.write(piece)
        file.flush()
        return await commerce.import_sheet(
            actor=actor,
            store=store,
            path=file.name,
            keep_good=keep_good,
            ignore_unknown=ignore_unknown,
            encoding=encoding,
            location=location,
            name=name,
            create=create,
            mapping=mapping,
        )


@sync.get(
    "/staged-changes",
    summary="List staged changes",
    responses=problems(StoreNotFound, BatchNotFound, SelectionNotFound),
)
async def list_changes(
    actor: Reader,
    commerce: Commerced,
    paging: Paging,
    store: Annotated[str | None, Query()] = None,
    batch_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[list[ChangeStatus] | None, Query(description="May be given several times")] = None,
    search: Annotated[str, Query(description="The search syntax", examples=["field:price vendor:Acme"])] = "",
    selection_id: Annotated[UUID | None, Query(description="Of what matched when it was made")] = None,
) -> ChangeList:
    """Field by field, before and after, oldest first."""
    query = ChangeQuery(
        store=store, batch_id=batch_id, statuses=tuple(status or ()), search=search, selection_id=selection_id
    )
    page = await commerce.list_changes(actor=actor, query=query, page=paging)
    return ChangeList(changes=list(page.items), pagination=pagination(page))


@sync.get("/staged-changes/{change_id}", summary="Show a staged change", responses=problems(BatchNotFound))
async def get_change(change_id: UUID, actor: Reader, commerce: Commerced) -> StagedChange:
    return await commerce.get_change(actor=actor, change_id=change_id)


@sync.post("/approve-changes", summary="Approve changes", responses=REVIEW_PROBLEMS)
async def approve_changes(body: ChangeSelection, actor: Approver, commerce: Commerced) -> Decided:
    """One, a selection, or all that match; what is no longer pending is left as it is. `to_push` of them are sent by
    the next push. `accepted` were made in the store itself and have nothing to send: the mirror has them already."""
    return await commerce.approve(actor=actor, query=body.query(), note=body.note)


@sync.post("/reject-changes", summary="Reject changes", responses=REVIEW_PROBLEMS)
async def reject_changes(body: ChangeSelection, actor: Approver, commerce: Commerced) -> Decided:
    """What was not sent. For what was made in the store itself a batch is staged for each store that puts it back:
    `put_back` names them, to be looked at, approved and pushed like any other."""
    return await commerce.reject(actor=actor, query=body.query(), note=body.note)


@sync.post("/resolve-conflicts", summary="Resolve conflicts", responses=REVIEW_PROBLEMS)
async def resolve_conflicts(body: ConflictResolution, actor: Approver, commerce: Commerced) -> Reviewed:
    """`skip` leaves the store's value, `overwrite` approves ours over it, `merge` approves the fields that did not
    move."""
    return Reviewed(changed=await commerce.resolve(actor=actor, query=body.query(), resolution=body.resolution))


@sync.post(
    "/shopify-up",
    status_code=202,
    summary="Push approved changes",
    responses=problems(StoreNotFound, BatchNotFound, NothingToDo, PushAlreadyRunning),
)
async def shopify_up(body: PushStart, actor: Pusher, commerce: Commerced) -> PushRun:
    """Starts a push; follow it at `/api/enhanced-sync/pushes/{id}`."""
    return await commerce.start_push(actor=actor, store=body.store, batch_id=body.batch_id)


@sync.get("/pushes/{run_id}", summary="Follow a push", responses=problems(RunNotFound))
async def get_push(run_id: UUID, actor: Reader, commerce: Commerced) -> PushRun:
    return await commerce.get_push(actor=actor, run_id=run_id)


@sync.get("/batches", summary="List batches", responses=problems(StoreNotFound))
async def list_batches(
    actor: Reader, commerce: Commerced, paging: Paging, store: Annotated[str | None, Query()] = None
) -> BatchList:
    """Newest first, each with its changes counted by status."""
    page = await commerce.list_batches(actor=actor, store=store, page=paging)
    return BatchList(batches=list(page.items), pagination=pagination(page))


@sync.get("/batches/{batch_id}/receipts", summary="List the receipts of a batch", responses=problems(BatchNotFound))
async def list_receipts(batch_id: UUID, actor: Reader, commerce: Commerced, paging: Paging) -> ReceiptList:
    """What happened to each change at the store, one line per attempt."""
    page = await commerce.list_receipts(actor=actor, batch_id=batch_id, page=paging)
    return ReceiptList(receipts=list(page.items), pagination=pagination(page))


@sync.post(
    "/rollback/{batch_id}", status_code=201, summary="Stage a rollback", responses=problems(BatchNotFound, NothingToDo)
)
async def stage_rollback(
    batch_id: UUID, actor: Stager, commerce: Commerced, body: RollbackCreate | None = None
) -> ChangeBatch:
    """A new batch that restores what was there before; reviewed and pushed like any other."""
    given = body or RollbackCreate()
    return await commerce.stage_rollback(actor=actor, batch_id=batch_id, change_ids=given.change_ids, note=given.note)


@sync.post("/reconcile", summary="Compare store and mirror", responses=problems(StoreNotFound))
async def reconcile(body: ReconcileStart, actor: Puller, commerce: Commerced) -> Reconciliation:
    return await commerce.reconcile(actor=actor, store=body.store, depth=body.depth, repair=body.repair)
