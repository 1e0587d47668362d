"""Clients of the tools, for whoever works for a tenant. Those of one process share the paces of an account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncline.apps.outreach.connections.kinds import attio_config, lemlist_config, mixpanel_config, smartlead_config
from syncline.apps.outreach.connections.service import secrets_of
from syncline.connectors.attio.client import AttioClient
from syncline.connectors.lemlist.client import LemlistClient
from syncline.connectors.mixpanel.client import MixpanelClient
from syncline.connectors.smartlead.client import SmartleadClient
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime


@asynccontextmanager
async def lemlist(runtime: Runtime, tenant_id: TenantId) -> AsyncIterator[LemlistClient]:
    """Raises `ConnectionNotFound`, as all here."""
    async with LemlistClient(lemlist_config(await secrets_of(runtime, tenant_id, "lemlist"))) as client:
        yield client


@asynccontextmanager
async def smartlead(runtime: Runtime, tenant_id: TenantId) -> AsyncIterator[SmartleadClient]:
    async with SmartleadClient(smartlead_config(await secrets_of(runtime, tenant_id, "smartlead"))) as client:
        yield client


@asynccontextmanager
async def mixpanel(runtime: Runtime, tenant_id: TenantId) -> AsyncIterator[MixpanelClient]:
    async with MixpanelClient(mixpanel_config(await secrets_of(runtime, tenant_id, "mixpanel"))) as client:
        yield client


@asynccontextmanager
async def attio(runtime: Runtime, tenant_id: TenantId) -> AsyncIterator[AttioClient]:
    async with AttioClient(attio_config(await secrets_of(runtime, tenant_id, "attio"))) as client:
        yield client
