"""What `syncline doctor` looks at: each finding says what is so and, where it is wrong, what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum

import psutil

from syncline import __version__
from syncline.kernel.errors import DomainError
from syncline.main.listening import BadAddress, listen
from syncline.main.schema import pending_migrations
from syncline.main.secret_keys import are_ours, open_box, place_of
from syncline.main.settings import Settings
from syncline.runtime.db.access import Access
from syncline.runtime.db.engine import Database
from syncline.sandbox.shopify.schema import PACKAGE, PACKAGE_VERSION, cache_folder

_OLDEST_PYTHON = (3, 11)
_DISK_NEEDED = 500_000_000
_DISK_COMFORTABLE = 5_000_000_000
_MEMORY_NEEDED = 500_000_000
_PORT = 8080


class Verdict(StrEnum):
    """`note`: works, with something to know. `bad`: Syncline cannot run before it is mended."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    what: str
    verdict: Verdict
    found: str
    advice: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a person would mend things."""
    findings = [
        _python(),
        _platform(),
        _data_dir(settings),
        examine_disk(settings),
        _memory(),
        examine_secret_key(settings),
    ]
    findings.append(await _database(settings))
    findings += [_port(), _schema()]
    return findings


def _python() -> Finding:
    found = f"{platform.python_version()}, Syncline {__version__}"
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("Python", Verdict.BAD, found, "Install Python 3.11 or newer and make the environment again.")
    return Finding("Python", Verdict.GOOD, found)


def _platform() -> Finding:
    found = f"{platform.system()} {platform.machine()}"
    if sys.platform == "win32":
        advice = "Set SYNCLINE_DATABASE_URL, or run Syncline under WSL: there is no embedded PostgreSQL for Windows."
        return Finding("platform", Verdict.NOTE, found, advice)
    return Finding("platform", Verdict.GOOD, found)


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = folder if folder.exists() else next(parent for parent in folder.parents if parent.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        advice = f"Make {existing} writable for you, or choose another folder with --data-dir."
        return Finding("data directory", Verdict.BAD, f"{folder} cannot be written", advice)
    state = "" if folder.exists() else " (will be made)"
    return Finding("data directory", Verdict.GOOD, f"{folder}{state}")


def examine_disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:,.1f} GB free"
    if free < _DISK_NEEDED:
        return Finding("disk", Verdict.BAD, found, "Free at least 0.5 GB, or choose another disk with --data-dir.")
    if free < _DISK_COMFORTABLE:
        return Finding("disk", Verdict.NOTE, found, "A store of 100,000 products takes about 2 GB; leave room for it.")
    return Finding("disk", Verdict.GOOD, found)


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    found = f"{free / 1e9:,.1f} GB available"
    if free < _MEMORY_NEEDED:
        return Finding(
            "memory", Verdict.NOTE, found, "Close other programs: Syncline and its database take about 0.4 GB."
        )
    return Finding("memory", Verdict.GOOD, found)


def examine_secret_key(settings: Settings) -> Finding:
    what = "secret key"
    try:
        open_box(settings)
    except PermissionError as error:
        return Finding(what, Verdict.BAD, "cannot be used", str(error))
    except (OSError, ValueError) as error:
        return Finding(what, Verdict.BAD, "cannot be used", f"Mend {place_of(settings)}: {error}")
    advice = "Back it up: stored tokens need it." if are_ours(settings) else ""
    return Finding(what, Verdict.GOOD, place_of(settings), advice)


async def _database(settings: Settings) -> Finding:
    what = "database"
    try:
        access = await asyncio.to_thread(Access, settings.database)
        pending = await asyncio.to_thread(pending_migrations, access.operator_url)
        if pending and not access.is_embedded:
            access.close()
            return Finding(what, Verdict.BAD, f"{pending} migrations behind", "Run: syncline db upgrade")
        if pending:
            access.close()
            return Finding(what, Verdict.NOTE, "starts; is empty or older", "The next command migrates it by itself.")
        database = await Database.open(settings.database, access)
        try:
            async with database.system() as session:
                version = (await session.driver()).info.server_version
        finally:
            await database.close()
    except DomainError as error:
        return Finding(what, Verdict.BAD, "cannot be used", error.sentence)
    kind = "our own" if settings.database_url is None else "yours"
    return Finding(what, Verdict.GOOD, f"PostgreSQL {version // 10000}.{version % 10000}, {kind}, up to date")


def _port() -> Finding:
    try:
        listen("127.0.0.1", _PORT).close()
    except BadAddress as error:
        return Finding("port", Verdict.NOTE, f"{_PORT} is taken, perhaps by Syncline itself", error.sentence)
    return Finding("port", Verdict.GOOD, f"{_PORT} is free")


def _schema() -> Finding:
    what = "sandbox"
    if any(cache_folder().glob(f"dev-mcp-{PACKAGE_VERSION}-*")):
        return Finding(what, Verdict.GOOD, "Shopify's published schema is here")
    if shutil.which("npm") is None:
        advice = (
            f"Only for the sandbox: install Node.js, which brings npm; it fetches {PACKAGE} {PACKAGE_VERSION} once."
        )
        return Finding(what, Verdict.NOTE, "no schema and no npm", advice)
    return Finding(what, Verdict.GOOD, "npm is here; the schema is fetched at first use")
