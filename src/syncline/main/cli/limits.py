"""`syncline limits`: how often what may be done."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.kernel.errors import InvalidInput, Unavailable
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import open_workspace, prepare
from syncline.runtime.limits import subject
from syncline.runtime.limits.counting import CountsLost
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.policy import POLICIES, Counts, Policy, with_settings
from syncline.runtime.limits.redis_counts import RedisCounts

app = command_group("Show how often what may be done, and let somebody begin anew.")


@app.command("list")
@command
def list_limits(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the limits with their rates, as SYNCLINE_LIMITS changes them.

    \b
    Examples:
      syncline limits list
      SYNCLINE_LIMITS="sign-in=10/15min,status=off" syncline limits list
    """
    policies = with_settings(dict(prepare(data_dir).limits))
    usual = {policy.name: policy for policy in POLICIES}
    body = [{**_facts(policy), "is_default": policy == usual[policy.name]} for policy in policies.values()]

    def show() -> RenderableType:
        rows = ((p.name, _rate(p), p.counts.value, p.when_lost.value, p.what) for p in policies.values())
        return table(("limit", "rate", "counted by", "without Redis", "what"), rows)

    emit({"limits": body}, as_json=as_json, show=show)


@app.command()
@command
async def forget(
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="Its name, from the list.")],
    *,
    address: Annotated[str | None, typer.Option(help="Of a limit by address: the network address.")] = None,
    key: Annotated[str | None, typer.Option(help="Of a limit by caller: the name of the key or person.")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody who was refused begin anew. Needs Redis: what a process counts by itself it forgets at a restart.

    \b
    Examples:
      syncline limits forget sign-in --address 203.0.113.7
      syncline limits forget general:signed-in --key "nightly export"
    """
    async with open_workspace(data_dir, tenant) as here:
        if here.settings.redis_url is None:
            raise InvalidInput("Without SYNCLINE_REDIS_URL each process counts alone; restart it to begin anew.")
        policies = with_settings(dict(here.settings.limits))
        if limit not in policies:
            raise InvalidInput(f"There is no limit “{limit}”; `syncline limits list` shows them.")
        whom = {
            Counts.ADDRESS: address,
            Counts.CALLER: key and subject.caller(here.tenant.id, key),
            Counts.TENANT: subject.tenant(here.tenant.id),
        }[policies[limit].counts]
        if not whom:
            option = "--address" if policies[limit].counts is Counts.ADDRESS else "--key"
            raise InvalidInput(f"The limit {limit} counts by {policies[limit].counts.value}; say whom with {option}.")
        await _forget(here.settings.redis_url, policies, limit, whom)
    emit({"forgotten": limit}, as_json=as_json, show=lambda: f"What was counted under {limit} is forgotten.")


async def _forget(url: str, policies: dict[str, Policy], limit: str, whom: str) -> None:
    limiter = Limiter(RedisCounts(url), policies)
    try:
        await limiter.forget(limit, whom)
    except CountsLost as lost:
        raise Unavailable(f"Redis does not answer: {lost}. See SYNCLINE_REDIS_URL.") from lost
    finally:
        await limiter.close()


def _rate(policy: Policy) -> str:
    return "off" if policy.rate is None else str(policy.rate)


def _facts(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "rate": _rate(policy),
        "counts": policy.counts.value,
        "when_lost": policy.when_lost.value,
        "what": policy.what,
    }
