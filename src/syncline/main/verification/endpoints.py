"""The API of a running installation, asked as its callers ask it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from syncline import __version__
from syncline.main.verification.finding import Finding, Group, Verdict

_SECONDS = 20.0


def open_client(url: str, key: str) -> httpx.AsyncClient:
    """Sends the key with every request."""
    return httpx.AsyncClient(base_url=url, timeout=_SECONDS, headers={"Authorization": f"Bearer {key}"})


async def check_endpoints(client: httpx.AsyncClient) -> list[Finding]:
    """`/live` first: when nothing answers there, nothing else is asked."""
    alive = await _live(client)
    if alive.verdict is Verdict.FAIL:
        return [alive]
    document, described = await _document(client)
    return [
        alive,
        await _ready(client),
        await _health(client),
        await _metrics(client),
        described,
        *[await _reading(client, path, operation) for path, operation in readable(document)],
    ]


def readable(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The documented GETs that can be asked as they are: nothing in the path to fill in, no parameter required, a
    permission to hold, and an answer that ends."""
    for path, operations in document.get("paths", {}).items():
        operation = operations.get("get")
        if operation is None or "{" in path or "x-permission" not in operation or _never_ends(operation):
            continue
        if not any(one.get("required") for one in operation.get("parameters", ())):
            yield path, operation


def _never_ends(operation: Mapping[str, Any]) -> bool:
    return "text/event-stream" in operation.get("responses", {}).get("200", {}).get("content", {})


async def _live(client: httpx.AsyncClient) -> Finding:
    try:
        answer = await client.get("/live")
    except httpx.HTTPError as error:
        advice = "Start it with: syncline serve, or give another --url"
        return _finding("/live", Verdict.FAIL, f"{client.base_url} does not answer ({type(error).__name__})", advice)
    if answer.status_code != 200 or answer.json().get("status") != "alive":
        advice = "Something else listens there: give Syncline's address with --url."
        return _finding("/live", Verdict.FAIL, f"answers {answer.status_code}", advice)
    return _finding("/live", Verdict.OK, f"{client.base_url} answers")


async def _ready(client: httpx.AsyncClient) -> Finding:
    answer = await client.get("/ready")
    if answer.status_code == 200:
        return _finding("/ready", Verdict.OK, "takes work")
    reasons = "; ".join(f"{name}: {reason}" for name, reason in _json(answer).get("reasons", {}).items())
    return _finding("/ready", Verdict.FAIL, reasons or f"answers {answer.status_code}", "Mend what it names.")


async def _health(client: httpx.AsyncClient) -> Finding:
    answer = await client.get("/health", params={"format": "detail"})
    checks: Mapping[str, Any] = _json(answer).get("checks", {})
    by_standing: dict[str, list[str]] = {}
    for name, one in checks.items():
        by_standing.setdefault(str(one.get("status")), []).append(f"{name}: {one.get('reason', 'not well')}")
    down, degraded = by_standing.get("DOWN", []), by_standing.get("DEGRADED", [])
    if down or not checks or answer.status_code != httpx.codes.OK:
        found = "; ".join(down) or f"answers {answer.status_code}"
        return _finding("/health", Verdict.FAIL, found, "Mend what it names.")
    if degraded:
        return _finding("/health", Verdict.WARN, "; ".join(degraded), "Look at what it names before it gets worse.")
    well = [name for name, one in checks.items() if one.get("status") == "UP"]
    return _finding("/health", Verdict.OK, f"well: {', '.join(well)}")


async def _metrics(client: httpx.AsyncClient) -> Finding:
    answer = await client.get("/metrics")
    if answer.status_code == 200 and "syncline_build_info" in answer.text:
        return _finding("/metrics", Verdict.OK, f"{answer.text.count('# TYPE '):,} metrics")
    return _finding("/metrics", Verdict.FAIL, f"answers {answer.status_code}", "Look into the log of the server.")


async def _document(client: httpx.AsyncClient) -> tuple[Mapping[str, Any], Finding]:
    answer = await client.get("/openapi.json")
    document = _json(answer)
    there = document.get("info", {}).get("version")
    found = f"version {there}, {len(document.get('paths', {}))} addresses"
    if answer.status_code != 200 or there is None:
        advice = "Look into the log of the server."
        return document, _finding("/openapi.json", Verdict.FAIL, f"answers {answer.status_code}", advice)
    if there != __version__:
        advice = f"This command is of version {__version__}; verify with the server's own."
        return document, _finding("/openapi.json", Verdict.WARN, found, advice)
    return document, _finding("/openapi.json", Verdict.OK, found)


async def _reading(client: httpx.AsyncClient, path: str, operation: Mapping[str, Any]) -> Finding:
    """With the key 200, without it 401."""
    what = f"GET {path}"
    began = time.perf_counter()
    try:
        known = await client.get(path)
        milliseconds = (time.perf_counter() - began) * 1000
        stranger = await client.get(path, headers={"Authorization": ""})
    except httpx.HTTPError as error:
        advice = "Look into the log of the server."
        return _finding(what, Verdict.FAIL, f"does not answer ({type(error).__name__})", advice)
    if stranger.status_code != 401:
        advice = "It must ask for a key. Stop serving, and report it."
        return _finding(what, Verdict.FAIL, f"answers {stranger.status_code} without a key", advice)
    if known.status_code == 403:
        found = f"the key may not: it takes {operation['x-permission']}"
        return _finding(what, Verdict.SKIP, found, "Give a key of the role owner to have it checked.")
    if known.status_code != 200:
        advice = f"See the log, correlation id {known.headers.get('x-correlation-id', 'unknown')}."
        advice = "Make a key: syncline keys create --role owner" if known.status_code == 401 else advice
        return _finding(what, Verdict.FAIL, f"answers {known.status_code} with the key", advice)
    return _finding(what, Verdict.OK, f"200 in {milliseconds:.0f} ms with the key, 401 without")


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _finding(what: str, verdict: Verdict, found: str, advice: str = "") -> Finding:
    return Finding(Group.ENDPOINTS, what, verdict, found, advice)
