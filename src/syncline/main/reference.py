"""Writes the pages of docs/reference that are made from the code: `python -m syncline.main.reference docs/reference`.

A test holds the pages against what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Container
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from syncline.kernel.tenant import PERMISSIONS, ROLES
from syncline.main.reference_columns import columns_page
from syncline.main.reference_privacy import personal_data_page
from syncline.main.reference_streams import streams_page
from syncline.main.settings import Settings
from syncline.main.targets import APPS
from syncline.main.thresholds import Thresholds
from syncline.runtime.http.auth import permission_of
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.openapi import api_routes


def permissions_page() -> str:
    """Who may do what, by role and by address."""
    routes = sorted(
        (route.path_format, method, permission_of(route))
        for route in api_routes(create_app(None, APPS))
        if route.include_in_schema
        for method in sorted(route.methods or set())
    )
    asked = {permission for _, _, permission in routes if permission is not None}
    permissions = sorted(asked | set().union(*PERMISSIONS.values()) - {"*"})
    roles = [role for role in ROLES if PERMISSIONS.get(role)]
    lines = [
        "# Permissions",
        "",
        "Made by `python -m syncline.main.reference docs/reference`; change the code, not this page.",
        "",
        "A key has one role in one tenant, and may be narrowed to scopes: permissions of that role.",
        "A person has a role in each of his tenants.",
        "",
        f"| permission | {' | '.join(roles)} |",
        f"|---|{'---|' * len(roles)}",
        *(f"| `{one}` | {' | '.join(_mark(role, one) for role in roles)} |" for one in permissions),
        "",
        "## What each address asks for",
        "",
        "| address | permission |",
        "|---|---|",
        *(f"| `{method} {path}` | {_asked(permission)} |" for path, method, permission in routes),
        "",
        "`/health`, `/metrics` and `/api/metrics` ask for any valid key when `SYNCLINE_OPEN_DIAGNOSTICS` is off.",
        "",
    ]
    return "\n".join(lines)


def _mark(role: str, permission: str) -> str:
    granted = PERMISSIONS[role]
    return "yes" if "*" in granted or permission in granted else ""


def _asked(permission: str | None) -> str:
    return "open" if permission is None else f"`{permission}`"


def settings_page() -> str:
    """Every `SYNCLINE_*` variable, of the installation and of each app."""
    lines = [
        "# Settings",
        "",
        "Made by `python -m syncline.main.reference docs/reference`; change the code, not this page.",
        "",
        "Settings come from the environment. A wrong one stops the start and is named. Durations are ISO 8601 (`PT2M`)",
        "or seconds; lists are separated by commas; an empty variable counts as not set. The command line also reads",
        "`SYNCLINE_PORT` and `SYNCLINE_TENANT`; the sandbox keeps what it fetched in `SYNCLINE_CACHE_DIR`.",
        "",
        "Without `SYNCLINE_DATA_DIR` (or `--data-dir`) the data directory is `.syncline` in the current folder if that",
        "exists, so that a checkout keeps its own; else `/var/lib/syncline` for root, and `$XDG_DATA_HOME/syncline`",
        "(`~/.local/share/syncline`) for everybody else.",
        *_settings_table("Installation", "SYNCLINE_", Settings, without=Thresholds.model_fields),
        *_settings_table("Health, breakers, stopping", "SYNCLINE_", Thresholds),
    ]
    for app in APPS:
        lines += _settings_table(app.name.capitalize(), f"SYNCLINE_{app.name.upper()}_", app.settings)
    return "\n".join([*lines, ""])


def _settings_table(title: str, prefix: str, model: type[BaseModel], without: Container[str] = ()) -> list[str]:
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {(field.description or '').replace('|', '/')} |"
        for name, field in model.model_fields.items()
        if name not in without
    ]
    return ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows]


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.default_factory is not None:
        return "see above"
    if value is None or value == ():
        return "not set"
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():g}` s"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


PAGES = {
    "columns.md": columns_page,
    "permissions.md": permissions_page,
    "personal-data.md": personal_data_page,
    "settings.md": settings_page,
    "streams.md": streams_page,
}


def main(folder: Path) -> None:
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
