"""Other programs that read a shop, as they ship: how each is installed, told what to read, started, and what it got."""

from __future__ import annotations

import gzip
import json
import re
import venv
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import run_quietly

Key = tuple[int, ...]
"""A product's or variant's number; of a stock level those of its item and its location."""
Found = Iterator[tuple[str, Key]]

START = "2023-11-01"
"""The sandbox's oldest product is a little younger."""
_DLT_PROGRAM = Path(__file__).parent / "dlt_shopify.py"
_STREAMS = {"products": "products", "product_variants": "variants", "inventory_levels": "levels"}
"""What both tap-shopify and Airbyte's source call what the sandbox calls otherwise."""


@dataclass(frozen=True)
class Shop:
    """How a rival reaches the sandbox."""

    domain: str
    token: str
    env: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.domain.partition(".")[0]


@dataclass(frozen=True)
class Rival:
    """`settings` go into its own configuration file; what is not there it decides itself."""

    name: str
    requirement: str
    told: str
    settings: Mapping[str, Any]
    prepare: Callable[[Rival, Shop, Path, Path], Awaitable[list[str]]]
    """What to run, given the folder of its environment and one to work in."""
    found: Callable[[Path], Found]

    @property
    def version(self) -> str:
        return self.requirement.replace("==", " ")


async def install(rival: Rival, folder: Path) -> Path:
    """An environment of its own under the folder; made once. Raises `ProgramFailed` with what pip said."""
    home = folder / re.sub(r"\W+", "-", rival.requirement)
    if not home.exists():
        venv.create(home, with_pip=True)
        pip = (str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        await run_quietly(*pip, rival.requirement)
    return home


async def _prepare_tap(rival: Rival, shop: Shop, home: Path, folder: Path) -> list[str]:
    config, catalog = folder / "config.json", folder / "catalog.json"
    said = {"start_date": f"{START}T00:00:00Z", "api_key": shop.token, "shop": shop.name, **rival.settings}
    config.write_text(json.dumps(said))
    program = [str(home / "bin" / "tap-shopify"), "--config", str(config)]
    discovered = json.loads(await run_quietly(*program, "--discover", folder=folder, env=shop.env))
    for stream in discovered["streams"]:
        for one in stream["metadata"] if stream["tap_stream_id"] in _STREAMS else []:
            one["metadata"]["selected"] = True
    catalog.write_text(json.dumps(discovered))
    return [*program, "--catalog", str(catalog)]


def _found_by_tap(folder: Path) -> Found:
    for message in _messages(folder):
        if message.get("type") == "RECORD":
            yield _found(_STREAMS[message["stream"]], message["record"])


async def _prepare_airbyte(rival: Rival, shop: Shop, home: Path, folder: Path) -> list[str]:
    config, catalog = folder / "config.json", folder / "catalog.json"
    credentials = {"auth_method": "api_password", "api_password": shop.token}
    config.write_text(
        json.dumps({"shop": shop.name, "credentials": credentials, "start_date": START, **rival.settings})
    )
    program = str(home / "bin" / "source-shopify")
    printed = await run_quietly(program, "discover", "--config", str(config), folder=folder, env=shop.env)
    discovered = next(one for one in map(json.loads, printed.splitlines()) if one.get("type") == "CATALOG")
    chosen = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in discovered["catalog"]["streams"]
        if stream["name"] in _STREAMS
    ]
    catalog.write_text(json.dumps({"streams": chosen}))
    return [program, "read", "--config", str(config), "--catalog", str(catalog)]


def _found_by_airbyte(folder: Path) -> Found:
    for message in _messages(folder):
        if message.get("type") == "RECORD":
            kind, record = _STREAMS[message["record"]["stream"]], message["record"]["data"]
            location, _, item = str(record["id"]).partition("|")
            yield (kind, (int(item), int(location))) if item else (kind, (int(location),))


async def _prepare_dlt(_rival: Rival, shop: Shop, home: Path, folder: Path) -> list[str]:
    return [str(home / "bin" / "python"), str(_DLT_PROGRAM), shop.domain, shop.token, str(folder)]


def _found_by_dlt(folder: Path) -> Found:
    for kind in _STREAMS.values():
        for file in sorted((folder / "loaded" / "shop" / kind).glob("*.jsonl.gz")):
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for line in lines:
                    record = json.loads(line)
                    yield _found(kind, {**record, "location": {"id": record.get("location__id")}})


def _messages(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of its output that are whole; the last is not when it was stopped."""
    with (folder / "output").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{") and line.endswith("}\n"):
                yield json.loads(line)


def _found(kind: str, record: Mapping[str, Any]) -> tuple[str, Key]:
    if kind == "levels":
        return kind, (_number(record["id"].partition("inventory_item_id=")[2]), _number(record["location"]["id"]))
    return kind, (_number(record["id"]),)


def _number(gid: str) -> int:
    return int(gid.rpartition("/")[2])


_WIDE_DAYS = 1_200
"""A window that holds the whole history of the sandbox."""
_TAP = "tap-shopify==3.13.0"
_AIRBYTE = "airbyte-source-shopify==4.3.0"
RIVALS = (
    Rival("tap-shopify", _TAP, "its default windows of 30 days", {}, _prepare_tap, _found_by_tap),
    Rival(
        "tap-shopify-wide",
        _TAP,
        f"one window of {_WIDE_DAYS:,} days",
        {"date_window_size": _WIDE_DAYS},
        _prepare_tap,
        _found_by_tap,
    ),
    Rival("airbyte", _AIRBYTE, "its default slices of 30 days", {}, _prepare_airbyte, _found_by_airbyte),
    Rival(
        "airbyte-wide",
        _AIRBYTE,
        f"one slice of {_WIDE_DAYS:,} days",
        {"bulk_window_in_days": _WIDE_DAYS},
        _prepare_airbyte,
        _found_by_airbyte,
    ),
    Rival("dlt", "dlt==1.31.0", "its generic REST source, to JSON Lines files", {}, _prepare_dlt, _found_by_dlt),
)


def redirected(authority: Path, port: int) -> dict[str, str]:
    """What makes *.myshopify.com the TLS proxy at this port for a program in Python, and all else unreachable."""
    return {
        "PYTHONPATH": str(Path(__file__).parent / "redirect" / "site"),
        "SYNCLINE_BENCH_TLS_PORT": str(port),
        "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
        # Asked not to, dlt does not even try to report home.
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
