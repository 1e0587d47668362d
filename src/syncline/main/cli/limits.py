"""`syncline limits`: how often what may be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated
from uuid import UUID

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyRing, MemberNotFound
from syncline.kernel.errors import InvalidInput, Unavailable
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import Workspace, open_workspace
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import WriteSession
from syncline.runtime.http.limit_rates import show as show_limit
from syncline.runtime.limits import rates, subject
from syncline.runtime.limits.counting import CountsLost
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.policy import POLICIES, Counts, Policy, Rate, parse_rate, with_settings
from syncline.runtime.limits.rates import RateBook
from syncline.runtime.limits.redis_counts import RedisCounts

app = command_group("Show and change how often what may be done, and let somebody begin anew.")


ForTenant = Annotated[str | None, typer.Option("--tenant", help="Only for this tenant; else for all of them.")]
LimitName = Annotated[str, typer.Argument(metavar="LIMIT", help="Its name, from the list.")]


@app.command("list")
@command
async def list_limits(
    *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the limits with the rates that hold for a tenant, and where each was set.

    \b
    Examples:
      syncline limits list
      syncline limits list --tenant summer
      SYNCLINE_LIMITS="sign-in=10/15min,status=off" syncline limits list
    """
    async with open_workspace(data_dir, tenant) as here, here.runtime.database.reading(here.tenant.id) as session:
        policies = with_settings(dict(here.settings.limits))
        installation, own = await rates.list_for_installation(session), await rates.list_for_tenant(session)
    usual = {policy.name: policy for policy in POLICIES}
    shown = [show_limit(policy, installation, own) for policy in policies.values()]
    body = [
        {**one.model_dump(mode="json"), "is_default": one.rate == rates.written(usual[one.name].rate)} for one in shown
    ]

    def show() -> RenderableType:
        rows = ((p.name, p.rate, p.source.value, p.actor, p.counts.value, p.when_lost.value, p.what) for p in shown)
        return table(("limit", "rate", "set for", "by", "counted by", "without Redis", "what"), rows)

    emit({"limits": body}, as_json=as_json, show=show)


@app.command("set")
@command
async def set_limit(
    limit: LimitName,
    rate: Annotated[str, typer.Argument(metavar="RATE", help="Like 300/15min, '30/h burst 15', or off.")],
    *,
    tenant: ForTenant = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change a limit while everything runs, for all tenants or for one. Running processes follow within seconds.

    \b
    Examples:
      syncline limits set general:signed-in 60000/15min
      syncline limits set event-keys:generate "5000/min burst 500" --tenant summer
    """
    async with open_workspace(data_dir, tenant or DEFAULT_TENANT) as here:
        policy, parsed = _declared(here, limit), _parsed(rate)
        async with here.runtime.database.writing(here.tenant.id) as session, _noted_change(session, policy, tenant):
            if tenant is None:
                await rates.set_for_installation(session, policy.name, parsed, actor=here.actor.name)
            else:
                _require_known_caller(policy)
                name = here.actor.name
                await rates.set_for_tenant(session, policy.name, parsed, actor=name, by_operator=True)
    body = {"name": policy.name, "rate": rates.written(parsed), "tenant": tenant}
    emit(body, as_json=as_json, show=lambda: f"{policy.name} is {rates.written(parsed)} for {tenant or 'all tenants'}.")


@app.command()
@command
async def reset(
    limit: LimitName, *, tenant: ForTenant = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put a limit back to what holds without the change: for all tenants, or for one.

    \b
    Examples:
      syncline limits reset general:signed-in
      syncline limits reset event-keys:generate --tenant summer
    """
    async with open_workspace(data_dir, tenant or DEFAULT_TENANT) as here:
        policy = _declared(here, limit)
        async with here.runtime.database.writing(here.tenant.id) as session, _noted_change(session, policy, tenant):
            if tenant is None:
                was_set = await rates.reset_for_installation(session, policy.name)
            else:
                was_set = await rates.reset_for_tenant(session, policy.name)
    sentence = f"{limit} is put back." if was_set else f"{limit} was not changed for {tenant or 'all tenants'}."
    emit({"name": limit, "was_set": was_set, "tenant": tenant}, as_json=as_json, show=lambda: sentence)


@app.command()
@command
async def forget(
    limit: LimitName,
    *,
    address: Annotated[str | None, typer.Option(help="Of a limit by address: the network address.")] = None,
    key: Annotated[UUID | None, typer.Option(help="Of a limit by caller: the id of the key, from the list.")] = None,
    person: Annotated[str | None, typer.Option(help="Of a limit by caller: the person's e-mail.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody who was refused begin anew. Needs Redis: what a process counts by itself it forgets at a restart.

    \b
    Examples:
      syncline limits forget sign-in --address 203.0.113.7
      syncline limits forget general:signed-in --person ann@example.com
      syncline limits forget general:signed-in --key 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        if here.settings.redis_url is None:
            raise InvalidInput("Without SYNCLINE_REDIS_URL each process counts alone; restart it to begin anew.")
        policy = _declared(here, limit)
        whom = {
            Counts.ADDRESS: address,
            Counts.CALLER: await _caller(here, key, person),
            Counts.TENANT: subject.tenant(here.tenant.id),
        }[policy.counts]
        if not whom:
            option = "--address" if policy.counts is Counts.ADDRESS else "--key or --person"
            raise InvalidInput(f"The limit {limit} counts by {policy.counts.value}; say whom with {option}.")
        await _forget(here, here.settings.redis_url, limit, whom)
    emit({"forgotten": limit}, as_json=as_json, show=lambda: f"What was counted under {limit} is forgotten.")


@asynccontextmanager
async def _noted_change(session: WriteSession, policy: Policy, tenant: str | None) -> AsyncIterator[None]:
    """Around a change: what held before it and what holds after it, for the entry in the trail."""
    before = await _holds(session, policy, tenant)
    yield
    after = await _holds(session, policy, tenant)
    subject_of = f"limit {policy.name} of {'all tenants' if tenant is None else tenant}"
    note_change(subject_of, before={"rate": before}, after={"rate": after})


async def _holds(session: WriteSession, policy: Policy, tenant: str | None) -> str:
    own = {} if tenant is None else await rates.list_for_tenant(session)
    return rates.written(rates.in_force(policy, await rates.list_for_installation(session), own).rate)


async def _caller(here: Workspace, key: UUID | None, person: str | None) -> str | None:
    """Under which name the key or the member is counted; None when neither was named. Raises `MemberNotFound`."""
    if key is not None:
        return subject.caller(replace(here.actor, key_id=key))
    if person is None:
        return None
    members = await here.contract(KeyRing).list_members(tenant_id=here.tenant.id)
    found = next((one for one in members if one.email.casefold() == person.casefold()), None)
    if found is None:
        raise MemberNotFound(f"Nobody here has the address {person}. See `syncline users list`.")
    return subject.caller(replace(here.actor, user_id=found.user_id))


async def _forget(here: Workspace, url: str, limit: str, whom: str) -> None:
    policies = with_settings(dict(here.settings.limits))
    limiter = Limiter(RedisCounts(url), policies)
    # The count is kept under the rate that holds, which may have been changed.
    held = await RateBook(here.runtime.database, policies).policy(limit, here.tenant.id)
    try:
        await limiter.forget_under(held, whom)
    except CountsLost as lost:
        raise Unavailable(f"Redis does not answer: {lost}. See SYNCLINE_REDIS_URL.") from lost
    finally:
        await limiter.close()


def _declared(here: Workspace, limit: str) -> Policy:
    policies = with_settings(dict(here.settings.limits))
    if limit not in policies:
        raise InvalidInput(f"There is no limit “{limit}”; `syncline limits list` shows them.")
    return policies[limit]


def _parsed(rate: str) -> Rate | None:
    try:
        return parse_rate(rate)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error


def _require_known_caller(policy: Policy) -> None:
    if policy.counts is Counts.ADDRESS:
        raise InvalidInput(
            f"The limit {policy.name} counts addresses, before anybody knows whose they are. Leave --tenant out."
        )
