"""`syncline webhooks`: what came, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.webhook_contract import OUTCOME_SENTENCES, WebhookEvent, WebhookState
from syncline.apps.commerce.webhook_management_contract import PayloadDiff, WebhookEventShown, WebhookStats
from syncline.kernel.paging import PageRequest
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, emit, table, to_json
from syncline.main.cli.outcome import status_text
from syncline.main.cli.webhooks import app
from syncline.main.cli.workspace import open_workspace

EventId = Annotated[UUID, typer.Argument(metavar="ID", help="The webhook, from `webhooks events`.")]
OfStore = Annotated[str | None, typer.Option("--store", help="Only of this store.")]


def _events(found: Sequence[WebhookEvent]) -> RenderableType:
    rows = (
        (
            one.id,
            one.received_at,
            one.topic,
            status_text(one.state.value),
            f"{one.kind} {one.number}" if one.number is not None else "",
            one.attempts,
            one.reason or (OUTCOME_SENTENCES[one.outcome] if one.outcome else ""),
        )
        for one in found
    )
    return table(("webhook", "came", "topic", "state", "about", ">tries", "what came of it"), rows)


@app.command()
@command
async def events(
    *,
    store: OfStore = None,
    topic: Annotated[str | None, typer.Option(help="Like products/update.")] = None,
    state: Annotated[WebhookState | None, typer.Option(help="Only in this state.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Counts from 1.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many on a page.")] = 50,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List webhooks that came, the latest first.

    \b
    Examples:
      syncline webhooks events --state dead
      syncline webhooks events --store summer --topic orders/create --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).list_webhook_events(
            actor=here.actor, store=store, topic=topic, state=state, page=PageRequest(page, limit)
        )

    def show() -> RenderableType:
        told = f"{found.total:,} webhooks; page {found.page} of {max(1, found.total_pages)}."
        return Group(_events(found.items), told) if found.items else "None."

    emit({"events": [asdict(one) for one in found.items], "total": found.total}, as_json=as_json, show=show)


@app.command()
@command
async def show(
    event: EventId, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show one webhook with what it carried, as long as that is kept.

    \b
    Examples:
      syncline webhooks show 01a20193-4e72-70e7-a846-5fae67bee546 --json | jq .payload.title
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).get_webhook_event(actor=here.actor, event_id=event)
    emit(asdict(found), as_json=as_json, show=lambda: _shown(found))


def _shown(found: WebhookEventShown) -> RenderableType:
    one = found.event
    facts = table(
        ("", ""),
        [
            ("store", found.store),
            ("topic", one.topic),
            ("state", one.state.value),
            ("came", one.received_at),
            ("happened", one.triggered_at),
            ("delivery", one.delivery_id),
            ("action", one.action_id),
            ("about", f"{one.kind} {one.number}" if one.number is not None else None),
            ("tries", one.attempts),
            ("reason", one.reason),
            ("correlation", one.correlation_id),
        ],
    )
    if found.payload is None and found.text is None:
        return Group(facts, Text("What it carried is no longer kept.", style="dim"))
    body = found.text if found.payload is None else json.dumps(to_json(found.payload), indent=2, ensure_ascii=False)
    return Group(facts, Text(body or ""))


@app.command()
@command
async def diff(
    event: EventId,
    other: Annotated[
        UUID | None,
        typer.Argument(metavar="[OTHER]", help="Another of the same record; the one before, if left out."),
    ] = None,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed from one webhook of a record to the next, field by field.

    \b
    Examples:
      syncline webhooks diff 01a20193-4e72-70e7-a846-5fae67bee546
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).diff_webhooks(actor=here.actor, event_id=event, other_id=other)
    emit(asdict(found), as_json=as_json, show=lambda: _diff(found))


def _diff(found: PayloadDiff) -> RenderableType:
    rows = ((one.path, one.what, _value(one.before), _value(one.after)) for one in found.changes)
    span = f"{found.before.topic} of {found.before.received_at:%H:%M:%S} to {found.after.topic} of "
    told = f"{span}{found.after.received_at:%H:%M:%S}: {found.total:,} values differ."
    return Group(table(("field", "what", "before", "after"), rows), told) if found.changes else "They say the same."


def _value(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(to_json(value), ensure_ascii=False)


@app.command()
@command
async def retry(
    event: Annotated[
        UUID | None, typer.Argument(metavar="[ID]", help="The webhook; or --failed.", show_default=False)
    ] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="All that failed or were given up, the oldest first.")
    ] = False,
    store: OfStore = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="With --failed: at most so many.")] = 100,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Have a failed webhook tried again, or all of them. One that was applied is never applied twice.

    \b
    Examples:
      syncline webhooks retry 01a20193-4e72-70e7-a846-5fae67bee546
      syncline webhooks retry --failed --store summer --limit 500
    """
    if failed is (event is not None):
        raise typer.BadParameter("give the webhook's id, or --failed")
    async with open_workspace(data_dir, tenant) as here:
        commerce = here.contract(Commerce)
        if event is not None:
            one = await commerce.retry_webhook(actor=here.actor, event_id=event)
            emit(asdict(one), as_json=as_json, show=lambda: _events([one]))
            return
        done = await commerce.retry_failed_webhooks(actor=here.actor, store=store, limit=limit)
    left = f" {done.left:,} are left; run it again." if done.left else ""
    emit(asdict(done), as_json=as_json, show=lambda: f"{done.retried:,} are tried again.{left}")


@app.command("mark-failed")
@command
async def mark_failed(
    event: EventId,
    *,
    reason: Annotated[str, typer.Option(help="Why; shown with the dead letter.")] = "",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a webhook up that waits or failed: it becomes a dead letter, and may be tried again later.

    \b
    Examples:
      syncline webhooks mark-failed 01a20193-4e72-70e7-a846-5fae67bee546 --reason "A test of the shop"
    """
    async with open_workspace(data_dir, tenant) as here:
        one = await here.contract(Commerce).give_up_webhook(actor=here.actor, event_id=event, reason=reason)
    emit(asdict(one), as_json=as_json, show=lambda: _events([one]))


@app.command()
@command
async def stats(
    *,
    store: OfStore = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="How far to look back.")] = 7,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Count webhooks by topic: how many came, how many were applied, how long that took.

    \b
    Examples:
      syncline webhooks stats --days 30
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await here.contract(Commerce).webhook_stats(actor=here.actor, store=store, days=days)
    emit(asdict(found), as_json=as_json, show=lambda: _stats(found))


def _stats(found: WebhookStats) -> RenderableType:
    if not found.received:
        return f"None came since {found.since:%Y-%m-%d}."
    rows = (
        (one.topic, one.received, one.applied, one.ignored, one.waiting, one.failed, one.dead) for one in found.topics
    )
    rate = "" if found.success_rate is None else f"{found.success_rate:g} % went well. "
    took = "" if found.seconds_p50 is None else f"Half were done after {found.seconds_p50:.2f} s, "
    late = "" if found.seconds_p95 is None else f"95 % after {found.seconds_p95:.2f} s."
    made = table(("topic", ">came", ">applied", ">ignored", ">waiting", ">failed", ">dead"), rows)
    return Group(made, f"{found.received:,} since {found.since:%Y-%m-%d}. {rate}{took}{late}")
