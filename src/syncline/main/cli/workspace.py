"""What a command works in: the settings, an open runtime, and the tenant it acts for. No server is needed for it."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyRing, Tenant, TenantNotFound
from syncline.kernel.tenant import Actor
from syncline.main.cli.written import written
from syncline.main.compose import compose
from syncline.main.schema import open_access, require_schema
from syncline.main.settings import Settings, load_settings
from syncline.runtime.app import Runtime
from syncline.runtime.observe import logs

T = TypeVar("T")


@dataclass(frozen=True)
class Workspace:
    runtime: Runtime
    settings: Settings
    tenant: Tenant

    @property
    def actor(self) -> Actor:
        """Whoever has the shell has the database: the command line acts as an owner, under the user's own name."""
        return Actor(tenant_id=self.tenant.id, name=f"{user_name()} (command line)", role="owner", method="shell")

    def contract(self, cls: type[T]) -> T:
        return self.runtime.contract(cls)


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"  # a container's arbitrary user id has no name


def prepare(data_dir: Path | None) -> Settings:
    """Settings, with the command line's data directory on top, and logging that leaves room for the output."""
    settings = load_settings(data_dir=data_dir)
    quiet = "WARNING" if settings.log_level == "INFO" else settings.log_level
    logs.configure(level=quiet, pretty={"auto": None, "json": False, "text": True}[settings.log_format])
    return settings


@asynccontextmanager
async def open_workspace(data_dir: Path | None, tenant: str = DEFAULT_TENANT) -> AsyncIterator[Workspace]:
    """Opens everything a command needs, and migrates Syncline's own database when it is behind.

    A command that changes something leaves an entry in the audit trail, and is refused while changes are stopped.
    Raises `TenantNotFound`, and `SchemaBehind` when somebody else's database is behind.
    """
    settings = prepare(data_dir)
    async with open_access(settings) as access:
        if not access.is_embedded:
            await require_schema(access)
        async with compose(settings, access) as runtime:
            found = await runtime.contract(KeyRing).find_tenant(slug=tenant)
            if found is None:
                raise TenantNotFound(f"There is no tenant “{tenant}”. The first one is “{DEFAULT_TENANT}”.")
            here = Workspace(runtime, settings, found)
            async with written(runtime, here.actor):
                yield here
