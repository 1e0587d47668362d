"""A command group that imports a command's module only when that command runs, so that `syncline --help` is quick.

The help line of each command stands here a second time; a test holds it against the module's own.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from syncline.kernel.collecting import none_collected


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives: `module` has the `typer.Typer` as `app`."""

    module: str
    help: str
    panel: str


_STORE = "Work on a store"
_RUN = "Run and look after"

COMMANDS: dict[str, Entry] = {
    "stores": Entry(
        "syncline.main.cli.stores", "Connect, list, test and remove stores, and replace their tokens.", _STORE
    ),
    "pull": Entry("syncline.main.cli.pull", "Read a store into the mirror, and prove that nothing was lost.", _STORE),
    "change": Entry("syncline.main.cli.change", "Stage a bulk edit.", _STORE),
    "product": Entry("syncline.main.cli.product", "Stage new products, and the deletion of products.", _STORE),
    "batch": Entry("syncline.main.cli.batch", "Bulk operations: preview, run, follow, cancel and retry them.", _STORE),
    "import": Entry(
        "syncline.main.cli.import_sheet", "Compare a sheet with the mirror and stage what differs.", _STORE
    ),
    "align": Entry("syncline.main.cli.align", "Copy fields from one store to another.", _STORE),
    "sheet": Entry(
        "syncline.main.cli.sheet", "Templates of sheets, what their columns mean, and mappings that are kept.", _STORE
    ),
    "export": Entry("syncline.main.cli.export", "Write a store's products, or its stock, to a file.", _STORE),
    "review": Entry(
        "syncline.main.cli.review", "List, show, approve and reject staged changes; settle conflicts.", _STORE
    ),
    "conflicts": Entry(
        "syncline.main.cli.conflicts",
        "Show conflicts on three sides, settle them field by field, and set rules for later ones.",
        _STORE,
    ),
    "push": Entry("syncline.main.cli.push", "Send every approved change.", _STORE),
    "sync": Entry(
        "syncline.main.cli.sync", "Start, watch, pause, resume and stop pushes that worker processes carry out.", _STORE
    ),
    "rollback": Entry(
        "syncline.main.cli.rollback", "Stage a batch that puts back what was in the store before.", _STORE
    ),
    "reconcile": Entry(
        "syncline.main.cli.reconcile", "Compare the store with the mirror, name what differs and mend it.", _STORE
    ),
    "outreach": Entry(
        "syncline.main.cli.outreach", "Read lemlist and Smartlead, and tell Mixpanel each event once.", _STORE
    ),
    "schedule": Entry(
        "syncline.main.cli.schedule",
        "Have pulls, comparisons and alignments start by themselves, and see what became of them.",
        _STORE,
    ),
    "webhooks": Entry(
        "syncline.main.cli.webhooks_events",
        "Have stores tell of changes at once, see what came of it, and find what was missed.",
        _STORE,
    ),
    "watch": Entry("syncline.main.cli.watch", "Watch operations as they run.", _STORE),
    "serve": Entry("syncline.main.cli.serve", "Run Syncline: the API, the worker, and its own database.", _RUN),
    "sandbox": Entry(
        "syncline.main.cli.sandbox", "Run a local double of a vendor, to try things without an account.", _RUN
    ),
    "demo": Entry("syncline.main.cli.demo", "See it all on a store made up on this machine.", _RUN),
    "keys": Entry("syncline.main.cli.keys", "Make, list, rotate and revoke API keys.", _RUN),
    "users": Entry(
        "syncline.main.cli.users",
        "List and invite people, change their roles, remove them; read mails that were not sent.",
        _RUN,
    ),
    "oidc": Entry(
        "syncline.main.cli.oidc", "Have a tenant's people sign in with a provider of their own (OpenID Connect).", _RUN
    ),
    "notify": Entry(
        "syncline.main.cli.notify",
        "Have people told when operations end or fail: by mail, in Slack, or by a webhook.",
        _RUN,
    ),
    "audit": Entry("syncline.main.cli.audit", "Search, export and verify the audit trail.", _RUN),
    "privacy": Entry(
        "syncline.main.cli.privacy_requests",
        "Export and erase somebody's data, record consents, say how long data is kept.",
        _RUN,
    ),
    "maintenance": Entry(
        "syncline.main.cli.maintenance", "Stop the installation, a tenant or a store, and let it go on.", _RUN
    ),
    "limits": Entry(
        "syncline.main.cli.limits", "Show and change how often what may be done, and let somebody begin anew.", _RUN
    ),
    "db": Entry("syncline.main.cli.db", "Look after the database: address, programs, migrations.", _RUN),
    "doctor": Entry("syncline.main.cli.doctor", "Check this machine and installation, and say what to do.", _RUN),
    "dead-letters": Entry(
        "syncline.main.cli.dead_letters",
        "Look at jobs, events and webhooks that were given up; retry or discard them.",
        _RUN,
    ),
    "verify": Entry(
        "syncline.main.cli.verify",
        "Check a running installation from end to end: components, API, integrity, stores, schedules.",
        _RUN,
    ),
    "version": Entry("syncline.main.cli.version", "Print the version.", _RUN),
}


class LazyGroup(TyperGroup):
    """Lists `COMMANDS` by their help lines; loads the one that is called. The context's `obj`, if any, is called when
    it is loaded: it is the process's own, which a test that calls commands in its process does not give."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help, rich_help_panel=entry.panel), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = load(name)
            if ctx.obj is not None:
                ctx.obj()
        return name, command, rest


def load(name: str) -> Any:
    """The real command."""
    with none_collected():  # modules stay: looking for garbage would take a quarter of the time
        command = get_command(importlib.import_module(COMMANDS[name].module).app)
    command.name = name
    return command
