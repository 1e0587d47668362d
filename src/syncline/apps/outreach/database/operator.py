"""Who may change the installation over HTTP: the administrators of one tenant, for it concerns all of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.outreach.settings import OutreachSettings
from syncline.kernel.errors import NotAllowed
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import runtime_of


async def _operator(request: Request, actor: Annotated[Actor, Depends(require("installation:manage"))]) -> Actor:
    runtime: Runtime = runtime_of(request)
    slug = runtime.settings_of("outreach", OutreachSettings).operator_tenant
    tenant = await runtime.contract(KeyRing).find_tenant(slug=slug)
    if tenant is None or tenant.id != actor.tenant_id:
        raise NotAllowed(
            f"This changes the installation for everybody, so only administrators of the tenant “{slug}” may do it."
            " SYNCLINE_OUTREACH_OPERATOR_TENANT names another."
        )
    return actor


Operator = Annotated[Actor, Depends(_operator)]
"""Raises `NotAllowed` for everybody else."""
