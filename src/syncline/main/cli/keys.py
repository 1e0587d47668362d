"""`syncline keys`: the keys that scripts and people send as `Authorization: Bearer <key>`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT, ApiKey, KeyRing
from syncline.kernel import clock
from syncline.kernel.tenant import ROLES
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, say, table
from syncline.main.cli.encryption import rotate_encryption
from syncline.main.cli.workspace import open_workspace

app = command_group("Make, list, rotate and revoke API keys.")


@app.command()
@command
async def create(
    *,
    role: Annotated[str, typer.Option(help=f"What it may do: {', '.join(ROLES)}.")] = "editor",
    name: Annotated[str, typer.Option(help="So that you know it again.")] = "command line",
    days: Annotated[int | None, typer.Option(min=1, help="Stops working after so many days.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Limit it to this permission of its role; may be given several times.")
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once: only its hash is kept.

    \b
    Examples:
      syncline keys create --role owner
      KEY=$(syncline keys create --role owner --json | jq -r .key)
      syncline keys create --role viewer --name "nightly export" --days 90
      syncline keys create --role admin --scope catalog:read --scope catalog:pull
    """
    expires_at = None if days is None else clock.now() + timedelta(days=days)
    async with open_workspace(data_dir, tenant) as here:
        issued = await here.contract(KeyRing).create_key(
            tenant_id=here.tenant.id,
            name=name,
            role=role,
            created_by=here.actor.name,
            expires_at=expires_at,
            scopes=scope or None,
        )
    emit({"key": issued.bearer, **_facts(issued.key)}, as_json=as_json, show=lambda: issued.bearer)
    if not as_json:
        say(f"A key for the role {role}. Keep it: it is not shown again.", style="dim")


@app.command("list")
@command
async def list_keys(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the keys, newest first, without their secrets.

    \b
    Examples:
      syncline keys list
      syncline keys list --all --json
    """
    async with open_workspace(data_dir, tenant) as here:
        keys = await here.contract(KeyRing).list_keys(tenant_id=here.tenant.id, include_revoked=everything)

    def show() -> RenderableType:
        if not keys:
            return "No keys yet. Make one with: syncline keys create --role owner"
        columns = ("id", "name", "role", "limited to", "begins with", "made", "by", "last used", "expires", "revoked")
        rows = (
            (
                k.id,
                k.name,
                k.role,
                None if k.scopes is None else ", ".join(k.scopes),
                f"{k.prefix}…",
                k.created_at,
                k.created_by,
                k.last_used_at,
                k.expires_at,
                k.revoked_at,
            )
            for k in keys
        )
        return table(columns, rows)

    emit({"keys": [_facts(key) for key in keys]}, as_json=as_json, show=show)


@app.command()
@command
async def rotate(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id that `syncline keys list` shows.")],
    *,
    overlap_hours: Annotated[float, typer.Option(min=0, help="How long the old key works yet.")] = 24,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replace a key by a new one like it, and print that. The old one works for a while yet.

    \b
    Examples:
      syncline keys rotate 019a2b3c-4d5e-7f60-8123-456789abcdef
      syncline keys rotate 019a2b3c-4d5e-7f60-8123-456789abcdef --overlap-hours 0
    """
    async with open_workspace(data_dir, tenant) as here:
        issued = await here.contract(KeyRing).rotate_key(
            tenant_id=here.tenant.id,
            key_id=key_id,
            created_by=here.actor.name,
            overlap=timedelta(hours=overlap_hours),
        )
    emit({"key": issued.bearer, **_facts(issued.key)}, as_json=as_json, show=lambda: issued.bearer)
    if not as_json:
        say(f"The old key works for {overlap_hours:g} hours yet. Keep the new one: it is not shown again.", style="dim")


@app.command("rotate-signing")
@command
async def rotate_signing(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Publish a new key for signing access tokens; it signs a quarter of an hour later. Nobody is signed out.

    \b
    Examples:
      syncline keys rotate-signing
    """
    async with open_workspace(data_dir) as here:
        kid = await here.contract(KeyRing).rotate_signing_key()
    emit({"kid": kid}, as_json=as_json, show=lambda: f"The signing key {kid} is published and takes over shortly.")


@app.command()
@command
async def revoke(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id that `syncline keys list` shows.")],
    *,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key. It stops working at once; revoking it again changes nothing.

    \b
    Examples:
      syncline keys revoke 019a2b3c-4d5e-7f60-8123-456789abcdef
    """
    async with open_workspace(data_dir, tenant) as here:
        key = await here.contract(KeyRing).revoke_key(tenant_id=here.tenant.id, key_id=key_id)
    emit(_facts(key), as_json=as_json, show=lambda: f"The key “{key.name}” no longer works.")


app.command("rotate-encryption")(rotate_encryption)


def _facts(key: ApiKey) -> dict[str, object]:
    return asdict(key)
