"""`syncline outreach`: lemlist and Smartlead to Mixpanel and Attio."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from syncline.apps.accounts.contract import DEFAULT_TENANT
from syncline.apps.outreach.contract import Outreach
from syncline.apps.outreach.events.checks import identity_of
from syncline.main.cli import (
    outreach_connections,
    outreach_jobs,
    outreach_namespaces,
    outreach_runs,
    outreach_webhooks,
)
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit
from syncline.main.cli.workspace import open_workspace

app = command_group("Read lemlist and Smartlead, and tell Mixpanel each event once.")
app.add_typer(outreach_connections.app)
app.add_typer(outreach_runs.app)
app.add_typer(outreach_namespaces.app, name="namespaces")
app.add_typer(outreach_webhooks.app, name="webhooks")
app.add_typer(outreach_jobs.app, name="jobs")


@app.command()
@command
async def keys(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="lemlist or smartlead.")],
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Like email_sent.")],
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom it is about.")],
    *,
    activity: Annotated[str | None, typer.Option(help="The activity's id, if it has one.")] = None,
    timestamp: Annotated[
        str | None, typer.Option(help="When it happened, if it has no activity's id: 2024-01-31T12:00:00Z.")
    ] = None,
    timestamp_ms: Annotated[int | None, typer.Option(help="The same in milliseconds since 1970.")] = None,
    namespace: Annotated[str | None, typer.Option(help="The namespace it belongs to.", show_default="default")] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an event's key, and record it in event_source. The same event has the same key for ever.

    \b
    Examples:
      syncline outreach keys lemlist cam_1 email_sent sam@example.com --activity act_1
      syncline outreach keys smartlead 4711 email_opened sam@example.com --timestamp 2024-01-31T12:00:00Z --json
    """
    told = {
        "platform": platform,
        "campaignId": campaign,
        "eventType": kind,
        "email": email,
        "activityId": activity,
        "timestamp": timestamp if timestamp is not None else timestamp_ms,
        "namespace": namespace,
    }
    identity = identity_of(told)
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(Outreach).generate_key(actor=here.actor, identity=identity)
    emit(asdict(made), as_json=as_json, show=lambda: made.event_key)
