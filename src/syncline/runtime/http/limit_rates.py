"""`/api/limits`: how often what may be done, and changing it for the caller's own tenant.

A tenant's admin narrows what the tenant's keys and people may do. What concerns every tenant, or gives one more than
the others, is the operator's: `syncline limits set`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from syncline.kernel.errors import FieldError, InvalidInput, NotAllowed, NotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import record
from syncline.runtime.db.session import Session
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems
from syncline.runtime.limits import rates
from syncline.runtime.limits.policy import Counts, Policy, Rate, WhenLost, parse_rate
from syncline.runtime.limits.rates import Changed, in_force, is_within, written

router = APIRouter(prefix="/api/limits", tags=["limits"])

_Reader = Annotated[Actor, Depends(require("account:read"))]
_Manager = Annotated[Actor, Depends(require("controls:manage"))]


class LimitNotYours(NotAllowed):
    code = "LIMIT_003"
    title = "This limit is the operator's"


class NoSuchLimit(NotFound):
    code = "LIMIT_004"
    title = "There is no such limit"


class RateSource(StrEnum):
    """Where the rate in force was set."""

    SETTING = "setting"
    INSTALLATION = "installation"
    TENANT = "tenant"


class RateChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100, examples=["general:signed-in"])
    rate: str | None = Field(
        max_length=60, description="`300/15min` or `30/h burst 15`; null puts it back", examples=["3000/15min"]
    )


class LimitShown(BaseModel):
    name: str
    rate: str = Field(description="In force for this tenant; `off` is no limit", examples=["6000/15min"])
    counts: Counts = Field(description="Whether each caller, each tenant or each address is counted")
    when_lost: WhenLost = Field(description="Whether requests pass while the shared counts cannot be reached")
    what: str
    source: RateSource
    actor: str | None = Field(description="Who changed it; null for a setting")
    since: datetime | None


class LimitList(BaseModel):
    limits: list[LimitShown]


def _policies(request: Request) -> Mapping[str, Policy]:
    policies: Mapping[str, Policy] = request.app.state.policies
    return policies


_Policies = Annotated[Mapping[str, Policy], Depends(_policies)]


@router.get("", summary="How often what may be done")
async def list_limits(_actor: _Reader, session: Reading, policies: _Policies) -> LimitList:
    """The rates in force for this tenant. How much is left of the one that was counted stands in the headers of each
    answer."""
    return await _listed(session, policies)


async def _listed(session: Session, policies: Mapping[str, Policy]) -> LimitList:
    installation = await rates.list_for_installation(session)
    tenant = await rates.list_for_tenant(session)
    return LimitList(limits=[show(policy, installation, tenant) for policy in policies.values()])


def show(policy: Policy, installation: Changed, tenant: Changed) -> LimitShown:
    holds = in_force(policy, installation, tenant)
    base = in_force(policy, installation, {})
    own, common = tenant.get(policy.name), installation.get(policy.name)
    is_own = own is not None and in_force(policy, installation, {policy.name: own}).rate == own.rate != base.rate
    source = RateSource.TENANT if is_own else RateSource.INSTALLATION if common else RateSource.SETTING
    by = own if is_own else common
    return LimitShown(
        name=policy.name,
        rate=written(holds.rate),
        counts=policy.counts,
        when_lost=policy.when_lost,
        what=policy.what,
        source=source,
        actor=by.actor if by else None,
        since=by.since if by else None,
    )


@router.put("", summary="Change a limit of this tenant", responses=problems(LimitNotYours, NoSuchLimit))
async def change_limit(body: RateChange, actor: _Manager, session: Writing, policies: _Policies) -> LimitShown:
    """At most what the installation gives. It holds in every process within a few seconds."""
    policy = policies.get(body.name)
    if policy is None:
        raise NoSuchLimit(f"There is no limit “{body.name}”; GET /api/limits lists them.")
    installation, before = await rates.list_for_installation(session), await rates.list_for_tenant(session)
    _require_own(policy, before)
    if body.rate is None:
        await rates.reset_for_tenant(session, policy.name)
    else:
        rate = _parsed(body.rate)
        _require_within(rate, in_force(policy, installation, {}))
        await rates.set_for_tenant(session, policy.name, rate, actor=actor.name, by_operator=False)
    shown = show(policy, installation, await rates.list_for_tenant(session))
    was = written(in_force(policy, installation, before).rate)
    await record(
        session,
        actor=actor,
        action="limits.change",
        subject=f"limit {policy.name}",
        before={"rate": was},
        after={"rate": shown.rate},
    )
    return shown


def _parsed(text: str) -> Rate | None:
    try:
        return parse_rate(text)
    except ValueError as error:
        raise InvalidInput(f"{error}.", fields=[FieldError("rate", str(error))]) from error


def _require_own(policy: Policy, tenant: Changed) -> None:
    if policy.counts is Counts.ADDRESS:
        raise LimitNotYours(f"The limit {policy.name} counts addresses, before anybody knows whose they are.")
    own = tenant.get(policy.name)
    if own is not None and own.by_operator:
        raise LimitNotYours(f"The operator set the limit {policy.name} for this tenant. Ask him to change it.")


def _require_within(rate: Rate | None, most: Policy) -> None:
    if not is_within(rate, most.rate):
        raise LimitNotYours(
            f"A tenant may be given less than the installation's {written(most.rate)}, not more. Ask the operator."
        )
