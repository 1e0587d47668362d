"""`/api/namespaces`: parts of a tenant's outreach that are kept apart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.outreach.contract import BadNamespace, NamespaceExists, NamespaceNotFound, Outreach
from syncline.apps.outreach.namespaces.schemas import (
    CampaignsMatched,
    CampaignsToMatch,
    NamespaceAnswer,
    NamespaceCreate,
    NamespaceFigures,
    NamespaceList,
    NamespaceUpdate,
    figures,
)
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/namespaces", tags=["namespaces"])

_Outreach = Annotated[Outreach, Depends(uses(Outreach))]
_Reader = Annotated[Actor, Depends(require("outreach:read"))]
_Manager = Annotated[Actor, Depends(require("outreach:manage"))]


@router.get("", summary="List the namespaces")
async def list_namespaces(actor: _Reader, outreach: _Outreach) -> NamespaceList:
    """In the order in which campaigns' names are matched: the oldest first."""
    return NamespaceList(namespaces=list(await outreach.list_namespaces(actor=actor)))


@router.post("", status_code=201, summary="Add a namespace", responses=problems(BadNamespace, NamespaceExists))
async def create_namespace(body: NamespaceCreate, actor: _Manager, outreach: _Outreach) -> NamespaceAnswer:
    """Not needed before use: a well-formed name that is not there yet is made on first use, without keywords."""
    made = await outreach.create_namespace(
        actor=actor, name=body.name, keywords=body.keywords, description=body.description
    )
    return NamespaceAnswer(namespace=made)


@router.post("/test-match", summary="Where campaigns would go")
async def test_match(body: CampaignsToMatch, actor: _Reader, outreach: _Outreach) -> CampaignsMatched:
    """By their names. Changes nothing."""
    return CampaignsMatched(matches=list(await outreach.match_campaigns(actor=actor, campaigns=body.names)))


@router.get("/{name}", summary="Get a namespace", responses=problems(NamespaceNotFound))
async def get_namespace(name: str, actor: _Reader, outreach: _Outreach) -> NamespaceAnswer:
    return NamespaceAnswer(namespace=await outreach.get_namespace(actor=actor, name=name))


@router.put("/{name}", summary="Change a namespace", responses=problems(NamespaceNotFound, BadNamespace))
async def change_namespace(name: str, body: NamespaceUpdate, actor: _Manager, outreach: _Outreach) -> NamespaceAnswer:
    """Its name stays for good: it is part of the keys of its events."""
    changed = await outreach.change_namespace(
        actor=actor,
        name=name,
        keywords=body.keywords,
        description=body.description,
        is_active=body.is_active,
    )
    return NamespaceAnswer(namespace=changed)


@router.get("/{name}/stats", summary="What a namespace holds", responses=problems(NamespaceNotFound))
@limited("status")
async def namespace_stats(name: str, actor: _Reader, outreach: _Outreach) -> NamespaceFigures:
    return figures(await outreach.namespace_stats(actor=actor, name=name))
