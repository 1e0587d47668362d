"""Puts the parts together: settings, database, secrets, and each app's contract behind the interface others ask for.

Whether an app is in this process is decided here; no other file can tell.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from syncline.kernel.errors import InvalidInput
from syncline.main.own_jobs import own_jobs
from syncline.main.secret_keys import open_box
from syncline.main.settings import Settings, load_app_settings
from syncline.main.targets import APPS, migration_sources
from syncline.runtime.app import App, Runtime
from syncline.runtime.audit.personal_data import TRAIL
from syncline.runtime.connect.registry import PROCESS
from syncline.runtime.db.access import Access
from syncline.runtime.db.engine import Database
from syncline.runtime.jobs import JobQueue
from syncline.runtime.mail import SmtpMailer, parse_smtp_url
from syncline.runtime.privacy.personal_data import PersonalData
from syncline.runtime.privacy.queues import QUEUES


class UnknownApp(InvalidInput):
    code = "CONF_002"
    title = "No such app"


def select_apps(names: str, apps: Sequence[App] = APPS) -> tuple[App, ...]:
    """`all`, or a comma-separated list. Raises `UnknownApp`."""
    if names.strip() == "all":
        return tuple(apps)
    known = {app.name: app for app in apps}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise UnknownApp(f"There is no app “{name}”. The apps are: {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(wanted))


def in_order_of_need(apps: Sequence[App]) -> list[App]:
    """Each app after those whose contracts it calls. Raises `LookupError` for a need nobody meets, and for a circle."""
    provided = {app.provides: app for app in apps if app.provides is not None}
    ordered: list[App] = []
    under_way: list[App] = []

    def place(app: App) -> None:
        if app in ordered:
            return
        if app in under_way:
            circle = " -> ".join(one.name for one in [*under_way[under_way.index(app) :], app])
            raise LookupError(f"apps need each other in a circle: {circle}")
        under_way.append(app)
        for need in app.needs:
            if need not in provided:
                raise LookupError(f"{app.name} needs {need.__qualname__}, which no app in this process provides")
            place(provided[need])
        under_way.pop()
        ordered.append(app)

    for app in apps:
        place(app)
    return ordered


def check_implementation(contract: type, implementation: object) -> None:
    """Raises `TypeError` when a method of the interface is missing or takes other arguments. A type checker sees this
    too, but not for an implementation made at run time."""
    for name, declared in inspect.getmembers(contract, inspect.isfunction):
        if name.startswith("_"):
            continue
        method = getattr(implementation, name, None)
        if method is None:
            raise TypeError(f"{type(implementation).__name__} lacks {contract.__name__}.{name}")
        wanted = [one for one in inspect.signature(declared).parameters if one != "self"]
        given = list(inspect.signature(method).parameters)
        if wanted != given:
            raise TypeError(f"{type(implementation).__name__}.{name} takes {given}, {contract.__name__} says {wanted}")


def personal_data_of(apps: Sequence[App]) -> dict[str, PersonalData]:
    """Those who hold the records first, then accounts, by which people are known, and last the trail, in which somebody
    who can still sign in would stand again."""
    theirs = {app.name: app.personal_data for app in apps if app.personal_data is not None}
    found: dict[str, PersonalData] = {"queues": QUEUES, "audit": TRAIL, **theirs}
    return dict(sorted(found.items(), key=lambda one: (one[0] in {"accounts", "audit"}, one[0])))


@asynccontextmanager
async def compose(settings: Settings, access: Access, apps: Sequence[App] = APPS) -> AsyncIterator[Runtime]:
    """A runtime with an open database, closed again at the end. All apps' contracts are provided, whichever of them
    this process serves: their data is in the same database."""
    ordered = in_order_of_need(apps)
    app_settings = load_app_settings(ordered)
    secrets = open_box(settings)
    mailer = SmtpMailer(parse_smtp_url(settings.smtp_url), sender=settings.mail_from) if settings.smtp_url else None
    queue = JobQueue([*own_jobs(settings), *(job for app in ordered for job in app.jobs)])
    PROCESS.settings = settings.breaker
    database = await Database.open(settings.database, access)
    try:
        runtime = Runtime(
            database=database,
            queue=queue,
            secrets=secrets,
            settings=app_settings,
            mailer=mailer,
            personal_data=personal_data_of(ordered),
            erasure_list=settings.erasure_list or settings.data_dir / "erasures.jsonl",
            guard=settings.guard,
            migrations=migration_sources(),
        )
        for app in ordered:
            if app.provides is not None and app.build is not None:
                implementation = app.build(runtime)
                check_implementation(app.provides, implementation)
                runtime.contracts[app.provides] = implementation
        runtime.letter_sources = [app.letters(runtime) for app in ordered if app.letters is not None]
        yield runtime
    finally:
        await database.close()
