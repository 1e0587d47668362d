"""`syncline users`: the people of a tenant, their roles, invitations, and the mails that were written to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyRing
from syncline.kernel.tenant import ROLES
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, cell_text, command, command_group, emit, say, table
from syncline.main.cli.workspace import open_workspace

app = command_group("List and invite people, change their roles, remove them; read mails that were not sent.")

_Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address the person signs in with.")]
_Role = Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(ROLES[:-1])}.")]


@app.command("list")
@command
async def list_users(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the people of a tenant, and who is invited.

    \b
    Examples:
      syncline users list
      syncline users list --tenant summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        ring = here.contract(KeyRing)
        members = await ring.list_members(tenant_id=here.tenant.id)
        invited = await ring.list_invitations(tenant_id=here.tenant.id)

    def show() -> RenderableType:
        if not members and not invited:
            return f"Nobody yet. Invite somebody with: syncline users invite EMAIL --tenant {here.tenant.slug}"
        people = table(
            ("e-mail", "name", "role", "confirmed", "since", "by", "disabled"),
            (
                (one.email, one.name, one.role, one.email_verified, one.joined_at, one.added_by, one.is_disabled)
                for one in members
            ),
        )
        waiting = table(
            ("invited", "role", "until", "by"),
            ((one.email, one.role, one.expires_at, one.created_by) for one in invited),
        )
        return Group(*([people] if members else []), *([waiting] if invited else []))

    value = {"members": [asdict(one) for one in members], "invitations": [asdict(one) for one in invited]}
    emit(value, as_json=as_json, show=show)


@app.command()
@command
async def invite(
    email: _Email,
    *,
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES[:-1])}.")] = "viewer",
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Invite somebody into a tenant. The link is mailed; its token is printed, for you to hand over.

    \b
    Examples:
      syncline users invite ada@example.com --role owner
      syncline users invite bob@example.com --role editor --tenant summer
    """
    async with open_workspace(data_dir, tenant) as here:
        made = await here.contract(KeyRing).invite(actor=here.actor, email=email, role=role)
    value = {**asdict(made.invitation), "token": made.token}
    emit(value, as_json=as_json, show=lambda: made.token)
    if not as_json:
        until = cell_text(made.invitation.expires_at)
        say(f"{made.invitation.email} is invited as {role} until {until}. The token is good once.", style="dim")


@app.command()
@command
async def role(
    email: _Email,
    new_role: _Role,
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role, from the next request on. The last owner stays one.

    \b
    Examples:
      syncline users role ada@example.com admin
    """
    async with open_workspace(data_dir, tenant) as here:
        member = await here.contract(KeyRing).change_role(actor=here.actor, email=email, role=new_role)
    emit(asdict(member), as_json=as_json, show=lambda: f"{member.email} is now {member.role}.")


@app.command()
@command
async def remove(
    email: _Email, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Remove somebody from a tenant, at once. The account, and its places in other tenants, stay.

    \b
    Examples:
      syncline users remove ada@example.com --tenant summer
    """
    async with open_workspace(data_dir, tenant) as here:
        member = await here.contract(KeyRing).remove_member(actor=here.actor, email=email)
    emit(
        asdict(member),
        as_json=as_json,
        show=lambda: f"{member.email} no longer belongs to {here.tenant.slug}. Keys made by them still work.",
    )


@app.command("reset-password")
@command
async def reset_password(
    email: _Email,
    *,
    without_second_step: Annotated[
        bool, typer.Option("--without-second-step", help="Also turn the second step off, for who lost phone and codes.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a link with which somebody sets a new password. It is good once, for an hour; nothing is mailed.

    \b
    Examples:
      syncline users reset-password ada@example.com
      syncline users reset-password ada@example.com --without-second-step
    """
    async with open_workspace(data_dir) as here:
        link = await here.contract(KeyRing).start_reset(email=email, without_second_step=without_second_step)
    emit({"email": email, "link": link}, as_json=as_json, show=lambda: link)


@app.command()
@command
async def outbox(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many, newest first.")] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read the mails that were written to people. Without SYNCLINE_SMTP_URL this is where they end.

    \b
    Examples:
      syncline users outbox
      syncline users outbox --limit 1
    """
    async with open_workspace(data_dir) as here:
        mails = await here.contract(KeyRing).list_mails(limit=limit)

    def show() -> RenderableType:
        if not mails:
            return "No mails were written yet."
        columns = ("written", "to", "subject", "sent", "failed because")
        listed = table(
            columns, ((one.created_at, one.recipient, one.subject, one.sent_at, one.reason) for one in mails)
        )
        kept = [Text.assemble((f"To {one.recipient}\n", "bold"), cell_text(one.text)) for one in mails if one.text]
        return Group(listed, *kept)

    emit({"mails": [asdict(one) for one in mails]}, as_json=as_json, show=show)
