"""`/api/enhanced-sync`: templates, columns and mappings of sheets, and the sheet that comes back with its errors
marked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from enum import StrEnum
from os import SEEK_END
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.contract import Commerce, SheetRefused, StoreNotFound
from syncline.apps.commerce.sheet_contract import MappingNotFound, SheetColumn, SheetMapping
from syncline.apps.commerce.transfer.formats import MEDIA_TYPES, FileFormat
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.limits import accepts_bytes
from syncline.runtime.http.problems import problems

sheets = APIRouter(prefix="/api/enhanced-sync", tags=["sheets"])
ROUTERS = (sheets,)

LARGEST_SHEET_BYTES = 200_000_000

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_SHEET = {"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY)}}
_PIECE_BYTES = 1 << 18


class TemplateKind(StrEnum):
    PRODUCTS = "products"
    PRICES = "prices"
    STOCK = "stock"
    DELETE = "delete"


class TemplateFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


_MADE = {MEDIA_TYPES[FileFormat(one.value)]: _BINARY for one in TemplateFormat}


class MappingKeep(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="What you call it, like the supplier", examples=["Acme price list"])
    columns: dict[str, str] = Field(
        description="The file's title and our word for it; `-` for a column that is not read",
        examples=[{"Artikelnummer": "sku", "Preis": "price", "Bemerkung": "-"}],
    )


class MappingList(BaseModel):
    mappings: list[SheetMapping]


class ColumnList(BaseModel):
    columns: list[SheetColumn]


@sheets.get("/mappings", summary="List mappings of columns")
async def list_mappings(actor: Reader, commerce: Commerced) -> MappingList:
    return MappingList(mappings=list(await commerce.list_mappings(actor=actor)))


@sheets.put("/mappings", summary="Keep a mapping of columns")
async def keep_mapping(body: MappingKeep, actor: Stager, commerce: Commerced) -> SheetMapping:
    """Made, or changed when there is one of that name. An import names it to read a sheet of the same titles."""
    return await commerce.keep_mapping(actor=actor, name=body.name, columns=body.columns)


@sheets.delete(
    "/mappings/{mapping}", status_code=204, summary="Remove a mapping of columns", responses=problems(MappingNotFound)
)
async def remove_mapping(mapping: str, actor: Stager, commerce: Commerced) -> Response:
    await commerce.remove_mapping(actor=actor, name=mapping)
    return Response(status_code=204)


@sheets.post(
    "/import/columns",
    summary="Show what a sheet's columns mean",
    responses=problems(SheetRefused, MappingNotFound),
    openapi_extra=_SHEET,
)
@accepts_bytes(LARGEST_SHEET_BYTES)
async def describe_columns(
    request: Request,
    actor: Stager,
    commerce: Commerced,
    encoding: Annotated[str | None, Query(description="Found out, when left out", examples=["cp1252"])] = None,
    mapping: Annotated[str | None, Query(description="A mapping that was kept")] = None,
) -> ColumnList:
    """The body is the file. Columns that nobody named are guessed, and said to be; nothing is staged."""
    with tempfile.NamedTemporaryFile(prefix="syncline-columns-") as file:
        async for piece in request.stream():
            file.write(piece)
        file.flush()
        found = await commerce.describe_columns(actor=actor, path=file.name, encoding=encoding, mapping=mapping)
    return ColumnList(columns=list(found))


@sheets.post(
    "/import/marked",
    summary="Get a sheet back with its errors marked",
    response_class=StreamingResponse,
    responses={
        **problems(StoreNotFound, SheetRefused, MappingNotFound),
        200: {"description": "The file", "content": _MADE},
    },
    openapi_extra=_SHEET,
)
@accepts_bytes(LARGEST_SHEET_BYTES)
async def mark_sheet(
    request: Request,
    actor: Stager,
    commerce: Commerced,
    store: Annotated[str, Query()],
    ignore_unknown: Annotated[bool, Query(description="Leave out columns that are not known")] = False,
    encoding: Annotated[str | None, Query(description="Found out, when left out", examples=["cp1252"])] = None,
    location: Annotated[str | None, Query(description="Where the sheet's quantities are")] = None,
    create: Annotated[bool, Query(description="Make products that the store does not have")] = False,
    mapping: Annotated[str | None, Query(description="A mapping that was kept")] = None,
) -> StreamingResponse:
    """The body is the file, the answer its copy: a workbook with coloured cells and comments, or CSV with a column
    `Problem`. The header `X-Error-Count` says how many errors there are. Nothing is staged."""
    made = tempfile.TemporaryFile(prefix="syncline-marked-")  # noqa: SIM115 - closed when it has been sent
    try:
        with tempfile.NamedTemporaryFile(prefix="syncline-import-") as file:
            async for piece in request.stream():
                file.write(piece)
            file.flush()
            marked = await commerce.mark_sheet(
                actor=actor,
                store=store,
                path=file.name,
                file=made,
                ignore_unknown=ignore_unknown,
                encoding=encoding,
                location=location,
                create=create,
                mapping=mapping,
            )
    except BaseException:  # passed on; also who has gone away leaves no file behind
        made.close()
        raise
    return _sent(made, f"marked.{marked.format}", marked.format, {"X-Error-Count": str(marked.errors)})


@sheets.get(
    "/templates",
    summary="Download an empty sheet",
    response_class=StreamingResponse,
    responses={200: {"description": "The file", "content": _MADE}},
)
async def get_template(
    actor: Reader,
    commerce: Commerced,
    kind: Annotated[TemplateKind, Query(description="What the sheet is for")] = TemplateKind.PRODUCTS,
    format: Annotated[TemplateFormat, Query(description="The kind of file")] = TemplateFormat.CSV,  # noqa: A002
) -> StreamingResponse:
    """With rows that show how it is filled in."""
    made = tempfile.TemporaryFile(prefix="syncline-template-")  # noqa: SIM115 - closed when it has been sent
    try:
        await commerce.write_template(actor=actor, kind=kind, format=format, file=made)
    except BaseException:  # passed on; also who has gone away leaves no file behind
        made.close()
        raise
    return _sent(made, f"{kind}.{format}", format, {})


def _sent(file: BinaryIO, name: str, format: str, more: dict[str, str]) -> StreamingResponse:  # noqa: A002
    size = file.seek(0, SEEK_END)
    file.seek(0)
    headers = {
        **more,
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPES[FileFormat(format)], headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
