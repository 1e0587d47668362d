"""All checks, in the order in which a person would mend things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.commerce.contract import Commerce
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError
from syncline.kernel.tenant import Actor
from syncline.main.settings import Settings
from syncline.main.verification import stores
from syncline.main.verification.components import check_components, check_row_security
from syncline.main.verification.endpoints import check_endpoints, open_client
from syncline.main.verification.finding import Finding, Group, Verdict
from syncline.main.verification.sources import LocalSource, RemoteSource, Source
from syncline.runtime.app import Runtime

_KEY_LIVES = timedelta(hours=1)


async def verify_here(
    runtime: Runtime,
    settings: Settings,
    actor: Actor,
    *,
    url: str | None,
    reconcile: str | None,
    patience: timedelta,
) -> list[Finding]:
    """Through the database; and the API at `url` with a key that is made for it and revoked again."""
    findings = await check_components(runtime, settings, patience=patience)
    if url is None:
        advice = "Give its address: --url http://127.0.0.1:8080"
        findings.append(Finding(Group.ENDPOINTS, "API", Verdict.SKIP, "no address was given", advice))
    else:
        async with _passing_key(runtime.contract(KeyRing), actor) as key, open_client(url, key) as client:
            findings += await check_endpoints(client)
    findings.append(await check_row_security(runtime))
    return findings + await _check_stores(LocalSource(runtime.contract(Commerce), actor), reconcile)


async def verify_there(*, url: str, key: str, reconcile: str | None) -> list[Finding]:
    """Through the API alone."""
    async with open_client(url, key) as client:
        findings = await check_endpoints(client)
        if findings[0].verdict is Verdict.FAIL:
            return findings
        where = "On its machine: syncline verify"
        findings.insert(0, Finding(Group.COMPONENTS, "database", Verdict.SKIP, "is not seen from here", where))
        try:
            return findings + await _check_stores(RemoteSource(client), reconcile)
        except DomainError as error:
            told = Finding(Group.STORES, "stores", Verdict.FAIL, error.sentence, "Give a key of the role owner.")
            return [*findings, told]


@asynccontextmanager
async def _passing_key(keys: KeyRing, actor: Actor) -> AsyncIterator[str]:
    issued = await keys.create_key(
        tenant_id=actor.tenant_id,
        name="verify",
        role="owner",
        created_by=actor.name,
        expires_at=clock.now() + _KEY_LIVES,
    )
    try:
        yield issued.bearer
    finally:
        await keys.revoke_key(tenant_id=actor.tenant_id, key_id=issued.key.id)


async def _check_stores(source: Source, reconcile: str | None) -> list[Finding]:
    overviews = await source.overviews()
    if not overviews:
        advice = "Connect one: syncline stores add NAME --domain SHOP.myshopify.com"
        return [Finding(Group.STORES, "stores", Verdict.SKIP, "none is connected", advice)]
    integrity: list[Finding] = []
    known: list[Finding] = []
    scheduled: list[Finding] = []
    for overview in overviews:
        name, now = overview.store.name, clock.now()
        integrity += stores.of_integrity(name, await source.integrity(name))
        known += [stores.of_pull(overview, now), stores.of_reconciliation(name, overview.last_reconciliation, now)]
        if reconcile is not None:
            known.append(await _reconciled(source, name, reconcile))
        is_pulling = overview.last_pull is not None and not overview.last_pull.status.is_final
        scheduled += stores.of_schedules(name, await source.schedules(name), now, is_pulling=is_pulling)
    return [*integrity, *known, *scheduled]


async def _reconciled(source: Source, name: str, depth: str) -> Finding:
    try:
        found = await source.reconcile(name, depth)
    except ConnectorOutcome as error:
        advice = f"Run: syncline stores test {name}"
        return Finding(Group.STORES, f"{name}: reconciliation now", Verdict.FAIL, error.sentence, advice)
    return stores.of_reconciliation(name, found, clock.now(), when="fresh")
