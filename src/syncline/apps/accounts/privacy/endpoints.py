"""`/api/privacy`: consents, exports, erasures and retention of the caller's tenant.

Whom it is about stands in the body of each request, never in its address: addresses are written into logs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from syncline.apps.accounts.contract import (
    ErasureNotFound,
    ErasureObjected,
    ExportExpired,
    ExportNotFound,
    ExportNotReady,
    Privacy,
    RuleNotFound,
    SubjectUnclear,
    TenantSignInOnly,
)
from syncline.apps.accounts.privacy.exports.download import read_file
from syncline.apps.accounts.privacy.exports.service import get_ready, holds_account
from syncline.apps.accounts.privacy.schemas import (
    About,
    Choices,
    Consent,
    ConsentCreate,
    Erasure,
    ErasureCreate,
    ErasureList,
    ErasurePlan,
    ErasurePreview,
    PersonalExport,
    Removed,
    RetentionList,
    RetentionRule,
    RetentionUpdate,
    SaleChoice,
)
from syncline.apps.accounts.signin.confinement import require_unconfined
from syncline.kernel.errors import NotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, runtime_of, uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/privacy", tags=["privacy"])
ROUTERS = (router,)

_Desk = Annotated[Privacy, Depends(uses(Privacy))]
_Reader = Annotated[Actor, Depends(require("privacy:read"))]
_Manager = Annotated[Actor, Depends(require("privacy:manage"))]
_SUBJECT = (SubjectUnclear, NotFound)


@router.post(
    "/exports", status_code=202, summary="Export somebody's data", responses=problems(*_SUBJECT, TenantSignInOnly)
)
async def start_export(body: About, actor: _Manager, desk: _Desk) -> PersonalExport:
    """By a job. The file, a ZIP with JSON and CSV of each kind and a manifest, is kept for some days, sealed."""
    return PersonalExport.model_validate(await desk.start_export(actor=actor, subject=body.subject.ref()))


@router.get("/exports/{export_id}", summary="Look at an export", responses=problems(ExportNotFound))
async def get_export(export_id: UUID, actor: _Reader, desk: _Desk) -> PersonalExport:
    """Without the data."""
    return PersonalExport.model_validate(await desk.get_export(actor=actor, export_id=export_id))


@router.get(
    "/exports/{export_id}/file",
    summary="Fetch the file of an export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The ZIP",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(ExportNotFound, ExportNotReady, ExportExpired, TenantSignInOnly),
    },
)
@reads_people
async def download(request: Request, export_id: UUID, actor: _Manager, session: Reading) -> StreamingResponse:
    """Until it expires. Fetching it leaves an entry in the audit trail."""
    found = await get_ready(session, export_id)
    if holds_account(found):
        await require_unconfined(session, actor)
    runtime = runtime_of(request)
    parts: AsyncIterator[bytes] = read_file(runtime.database, actor.tenant_id, runtime.secrets, export_id)
    headers = {
        "Content-Disposition": f'attachment; filename="personal-data-{export_id}.zip"',
        "Content-Length": str(found.size_bytes),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, media_type="application/zip", headers=headers)


@router.post(
    "/erasures/preview", summary="See what an erasure would do", responses=problems(*_SUBJECT, TenantSignInOnly)
)
async def preview_erasure(body: ErasurePreview, actor: _Manager, desk: _Desk) -> ErasurePlan:
    """Does it and takes it back: what is counted is what would be done."""
    found = await desk.plan_erasure(actor=actor, subject=body.subject.ref(), keep_out=body.keep_out)
    return ErasurePlan.model_validate(found)


@router.post(
    "/erasures",
    status_code=202,
    summary="Erase somebody",
    responses=problems(*_SUBJECT, ErasureObjected, TenantSignInOnly),
)
async def start_erasure(body: ErasureCreate, actor: _Manager, desk: _Desk) -> Erasure:
    """By a job, app after app. It cannot be undone; preview it first."""
    made = await desk.start_erasure(actor=actor, subject=body.subject.ref(), reason=body.reason, keep_out=body.keep_out)
    return Erasure.model_validate(made)


@router.get("/erasures", summary="List erasures")
async def list_erasures(actor: _Reader, desk: _Desk) -> ErasureList:
    """Newest first, the last 200. They name nobody."""
    return ErasureList(erasures=[Erasure.model_validate(one) for one in await desk.list_erasures(actor=actor)])


@router.post("/erasures/search", summary="Whether somebody was erased", responses=problems(*_SUBJECT))
async def search_erasures(body: About, actor: _Reader, desk: _Desk) -> ErasureList:
    """Found by a digest of the address: the address itself is kept nowhere."""
    found = await desk.list_erasures(actor=actor, subject=body.subject.ref())
    return ErasureList(erasures=[Erasure.model_validate(one) for one in found])


@router.get("/erasures/{erasure_id}", summary="Look at an erasure", responses=problems(ErasureNotFound))
async def get_erasure(erasure_id: UUID, actor: _Reader, desk: _Desk) -> Erasure:
    """With each app's part."""
    return Erasure.model_validate(await desk.get_erasure(actor=actor, erasure_id=erasure_id))


@router.post("/consents", status_code=201, summary="Record a consent", responses=problems(*_SUBJECT))
async def record_consent(body: ConsentCreate, actor: _Manager, desk: _Desk) -> Consent:
    """Given or withdrawn. What was recorded before stays as it is."""
    made = await desk.record_consent(
        actor=actor,
        subject=body.subject.ref(),
        document=body.document,
        version=body.version,
        is_given=body.is_given,
        method=body.method,
        at=body.at,
    )
    return Consent.model_validate(made)


@router.post("/choices/search", summary="What somebody agreed to", responses=problems(*_SUBJECT))
async def search_choices(body: About, actor: _Reader, desk: _Desk) -> Choices:
    """The last word on each document, and the whole history."""
    return Choices.model_validate(await desk.choices_of(actor=actor, subject=body.subject.ref()))


@router.put("/choices/sale", summary="Do not sell or share", responses=problems(*_SUBJECT))
async def choose_sale(body: SaleChoice, actor: _Manager, desk: _Desk) -> Choices:
    """The opt-out of the CCPA, or its end. Apps that hand data to others leave out who chose so."""
    chosen = await desk.choose_sale(
        actor=actor, subject=body.subject.ref(), may_not_be_sold=body.may_not_be_sold, method=body.method
    )
    return Choices.model_validate(chosen)


@router.get("/retention", summary="How long what is kept")
async def list_retention(
    actor: _Reader,
    desk: _Desk,
    counted: Annotated[bool, Query(description="Count what is older: the dry run")] = False,
) -> RetentionList:
    """Every rule of every app, with the days that hold here."""
    found = await desk.list_retention(actor=actor, counted=counted)
    return RetentionList(rules=[RetentionRule.model_validate(one) for one in found])


@router.put("/retention/{rule}", summary="Keep something longer or shorter", responses=problems(RuleNotFound))
async def set_retention(rule: str, body: RetentionUpdate, actor: _Manager, desk: _Desk) -> RetentionRule:
    """From the next night on."""
    return RetentionRule.model_validate(await desk.set_retention(actor=actor, rule=rule, days=body.days))


@router.post("/retention/apply", summary="Remove now what is too old")
async def apply_retention(actor: _Manager, desk: _Desk) -> Removed:
    """As it is done each night."""
    return Removed(removed=dict(await desk.apply_retention(actor=actor)))
