"""`/api/audit`: the trail of the caller's tenant, searched, exported and verified."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit import export
from syncline.runtime.audit.export import MEDIA_TYPES, TrailFormat
from syncline.runtime.audit.trail import EntryQuery, list_entries, read_entries
from syncline.runtime.audit.verification import verify
from syncline.runtime.db.engine import Database
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Paging, Reading, pagination, runtime_of
from syncline.runtime.http.schemas import Pagination

router = APIRouter(prefix="/api/audit", tags=["audit"])

_Auditor = Annotated[Actor, Depends(require("audit:read"))]


class AuditEntry(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int = Field(description="Counts from 1 in each tenant, without a gap")
    at: datetime
    actor: str
    role: str
    method: str = Field(description="How the actor proved who he is: key, session or shell")
    user_id: UUID | None
    action: str
    subject: str
    outcome: str = Field(description="`done`, or the status that was answered")
    address: str | None
    correlation_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    details: dict[str, Any]


class AuditPage(BaseModel):
    entries: list[AuditEntry]
    pagination: Pagination


class TamperingFound(BaseModel):
    what: str = Field(description="changed, removed or inserted")
    first: int
    last: int
    sentence: str


class TrailVerification(BaseModel):
    whole: bool
    entries: int
    end_number: int = Field(
        description="Note it with its hash outside: a trail cut short together with its end shows then"
    )
    end_hash: str
    findings: list[TamperingFound]


def _query(
    actor: Annotated[str | None, Query(max_length=500, description="Who, exactly")] = None,
    action: Annotated[str | None, Query(max_length=500, description="What, or a part of it")] = None,
    subject: Annotated[str | None, Query(max_length=500, description="To what, or a part of it")] = None,
    correlation_id: Annotated[str | None, Query(max_length=128)] = None,
    since: Annotated[AwareDatetime | None, Query(description="From this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Up to this moment, without it")] = None,
) -> EntryQuery:
    return EntryQuery(
        actor=actor, action=action, subject=subject, correlation_id=correlation_id, since=since, until=until
    )


_Asked = Annotated[EntryQuery, Depends(_query)]


@router.get("", summary="Search the audit trail")
@reads_people
async def search(_actor: _Auditor, session: Reading, query: _Asked, page: Paging) -> AuditPage:
    """The latest first."""
    found = await list_entries(session, query, page)
    return AuditPage(entries=[AuditEntry.model_validate(one) for one in found.items], pagination=pagination(found))


@router.get(
    "/export",
    summary="Download the audit trail",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file, the oldest first",
            "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/jsonl")},
        }
    },
)
@reads_people
async def download(
    request: Request,
    actor: _Auditor,
    query: _Asked,
    format: Annotated[TrailFormat, Query(description="CSV, or a JSON object a line")] = TrailFormat.CSV,  # noqa: A002
) -> StreamingResponse:
    """Of any length: it is read in pages while it is sent."""
    database = runtime_of(request).database
    return StreamingResponse(
        _lines(database, actor.tenant_id, query, format),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="audit.{format.value}"'},
    )


async def _lines(database: Database, tenant_id: TenantId, query: EntryQuery, form: TrailFormat) -> AsyncIterator[str]:
    async with database.reading_still(tenant_id) as session:
        async for line in export.lines(read_entries(session, query), form):
            yield line


@router.get("/verification", summary="Verify the audit trail")
async def verification(request: Request, actor: _Auditor) -> TrailVerification:
    """Reads the whole trail and names every entry that was changed, removed or put in."""
    async with runtime_of(request).database.reading_still(actor.tenant_id) as session:
        found = await verify(session)
    return TrailVerification(
        whole=found.is_whole,
        entries=found.entries,
        end_number=found.end.number if found.end else 0,
        end_hash=found.end.hash.hex() if found.end else "",
        findings=[
            TamperingFound(what=one.what.value, first=one.first, last=one.last, sentence=one.sentence)
            for one in found.findings
        ],
    )
