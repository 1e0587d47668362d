"""`syncline oidc`: the providers with which the people of a tenant sign in."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from syncline.apps.accounts.contract import DEFAULT_TENANT, ProviderNotFound
from syncline.apps.accounts.providers import service
from syncline.apps.accounts.providers.desk import ProviderDesk
from syncline.apps.accounts.providers.schemas import Provider
from syncline.kernel.errors import InvalidInput
from syncline.main.cli.console import AsJson, DataDir, TenantSlug, command, command_group, emit, table
from syncline.main.cli.workspace import Workspace, open_workspace

app = command_group("Have a tenant's people sign in with a provider of their own (OpenID Connect).")

Which = Annotated[str, typer.Argument(metavar="PROVIDER", help="Its name or id, from the list.")]


@app.command("list")
@command
async def list_them(*, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List a tenant's sign-in providers, without their secrets.

    \b
    Examples:
      syncline oidc list
      syncline oidc list --tenant summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        found = await _all(here)

    def show() -> RenderableType:
        if not found:
            return f"None yet. Add one with: syncline oidc add NAME ISSUER --client-id ID --tenant {here.tenant.slug}"
        rows = (
            (p.name, p.title, p.issuer, p.client_id, p.has_secret, p.new_people_role, p.redirect_uri) for p in found
        )
        return table(("name", "title", "issuer", "client id", "secret", "new people", "redirect address"), rows)

    emit({"providers": [_plain(one) for one in found]}, as_json=as_json, show=show)


@app.command()
@command
async def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and -.")],
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="As its discovery document says it.")],
    *,
    client_id: Annotated[str, typer.Option(help="Under which the provider knows Syncline.")],
    secret_stdin: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the client secret from standard input, not to show it.")
    ] = False,
    title: Annotated[str | None, typer.Option(help="What the button says; the name, when left out.")] = None,
    new_people: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help=f"Let people in whom nobody invited: {', '.join(service.NEWCOMERS_ROLES)}."),
    ] = None,
    tenant: TenantSlug = DEFAULT_TENANT,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a provider. It is called at once, so that a wrong address shows now; then enter the redirect address there.

    \b
    Examples:
      syncline oidc add company-login https://login.example.com --client-id syncline --secret-stdin < secret.txt
      syncline oidc add school https://id.school.example --client-id 42 --new-people learner --tenant summer
    """
    values = {
        "name": name,
        "title": title or name,
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": _secret() if secret_stdin else None,
        "new_people_role": new_people,
    }
    async with open_workspace(data_dir, tenant) as here:
        desk = here.contract(ProviderDesk)
        row = await desk.create(here.actor, values)
        made = Provider.of(row, desk.redirect_uri(str(row.id)))
    sentence = f"{made.name} is added. Enter this redirect address at the provider: {made.redirect_uri}"
    emit(_plain(made), as_json=as_json, show=lambda: sentence)


@app.command()
@command
async def test(
    provider: Which, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Call a provider as a sign-in would: its discovery document and its keys. Fails when either is not good.

    \b
    Examples:
      syncline oidc test company-login
      syncline oidc test company-login --tenant summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        one = await _named(here, provider)
        said, keys = await here.contract(ProviderDesk).try_out(here.tenant.id, one.id)
    body = {
        "name": one.name,
        "issuer": said.issuer,
        "authorization_endpoint": said.authorization_endpoint,
        "token_endpoint": said.token_endpoint,
        "keys": keys,
        "redirect_uri": one.redirect_uri,
    }
    sentence = (
        f"{one.name} answers as {said.issuer}, with {keys} keys. People are sent to {said.authorization_endpoint}"
    )
    emit(body, as_json=as_json, show=lambda: sentence)


@app.command()
@command
async def remove(
    provider: Which, *, tenant: TenantSlug = DEFAULT_TENANT, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Remove a provider. Whoever came in by it is signed out.

    \b
    Examples:
      syncline oidc remove company-login
      syncline oidc remove company-login --tenant summer --json
    """
    async with open_workspace(data_dir, tenant) as here:
        one = await _named(here, provider)
        await here.contract(ProviderDesk).delete(here.actor, one.id)
    sentence = f"{one.name} is removed, and whoever came in by it is signed out."
    emit(_plain(one), as_json=as_json, show=lambda: sentence)


async def _all(here: Workspace) -> list[Provider]:
    desk = here.contract(ProviderDesk)
    async with here.runtime.database.reading(here.tenant.id) as session:
        return [Provider.of(row, desk.redirect_uri(str(row.id))) for row in await service.list_rows(session)]


async def _named(here: Workspace, which: str) -> Provider:
    for one in await _all(here):
        if which in {one.name, str(one.id)}:
            return one
    raise ProviderNotFound(f"There is no sign-in provider “{which}” here. See `syncline oidc list`.")


def _secret() -> str:
    secret = sys.stdin.readline().strip()
    if not secret:
        raise InvalidInput("--secret-stdin was said, but standard input holds no secret.")
    return secret


def _plain(one: Provider) -> dict[str, Any]:
    return one.model_dump(mode="json")
