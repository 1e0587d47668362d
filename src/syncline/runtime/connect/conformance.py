"""What any connector must do, whoever the vendor is. A connector passes it in three lines:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_conformance(check):
        await check(AcmeCase())

The case brings recorded answers of a healthy vendor; the checks put faults in front of them.
"""

from __future__ import annotations

import io
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import httpx
import structlog.testing

from syncline.kernel.errors import ConnectorOutcome, Fatal, Retriable
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import Fault, ScriptedVendor, dropped_after, fine, status, unreachable


class CasePage(Protocol):
    """One page: the keys of its records, and the cursor that resumes after it (None on the last)."""

    @property
    def keys(self) -> Sequence[str]: ...
    @property
    def cursor(self) -> str | None: ...


class Case(Protocol):
    """What a connector's test folder brings. `well` has every stream in at least three pages."""

    connector: Connector
    secrets: Collection[str]

    def well(self, request: httpx.Request) -> httpx.Response:
        """A healthy vendor's recorded answer."""

    def throttled(self, wait: timedelta) -> Fault:
        """The vendor refuses for too many calls and says, in its own way, to wait this long."""

    def expired_token(self) -> Fault:
        """The vendor refuses the credential."""

    def open(self, transport: httpx.AsyncBaseTransport) -> AbstractAsyncContextManager[Any]:
        """A client with `testing.FAST_RETRY` and a registry of its own."""

    async def discover(self, client: Any) -> None:
        """The check made when a store is connected."""

    def pages(self, client: Any, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:
        """Reads a stream from a cursor on."""

    def keys(self, stream: str) -> Collection[str]:
        """Every key that `well` holds for the stream."""

    async def write(self, client: Any) -> None:
        """One write that must not be repeated blindly."""

    def is_write(self, request: httpx.Request) -> bool:
        """Whether a request is that write."""


Check = Callable[[Case], Awaitable[None]]


async def declares_itself(case: Case) -> None:
    connector = case.connector
    for names in ([s.name for s in connector.streams], [a.name for a in connector.actions]):
        _ensure(len(names) == len(set(names)), f"names are used twice: {names}")
    for stream in connector.streams:
        _ensure(set(stream.key) == set(stream.kinds), f"{stream.name} does not state the key of each kind")
        _ensure(bool(stream.cursor and stream.paging), f"{stream.name} does not state its cursor and paging")
    for action in connector.actions:
        _ensure(bool(action.idempotent_by), f"{action.name} does not state by what it is idempotent")
    _ensure(bool(connector.api_versions), "no API version is declared")
    _ensure(bool(connector.rate_limits), "no rate limit is declared")
    _ensure(is_dataclass(connector.config), "the config is not a dataclass")
    shown = {f.name for f in fields(connector.config) if f.repr}  # type: ignore[arg-type]
    leaks = shown & set(connector.auth.secret_fields)
    _ensure(not leaks, f"secret fields show in the repr of the config: {leaks}")


async def discovers_the_account(case: Case) -> None:
    async with case.open(ScriptedVendor(case.well).transport) as client:
        await case.discover(client)


async def pages_through_every_stream(case: Case) -> None:
    for stream in case.connector.streams:
        pages = await _read(case, ScriptedVendor(case.well), stream.name)
        keys = [key for page in pages for key in page.keys]
        _ensure(len(pages) >= 3, f"{stream.name}: the recorded answers have fewer than three pages")
        _ensure(sorted(keys) == sorted(case.keys(stream.name)), f"{stream.name}: records were lost or doubled")
        _ensure(pages[-1].cursor is None, f"{stream.name}: the last page has a cursor")
        _ensure(all(page.cursor for page in pages[:-1]), f"{stream.name}: a page that is not the last has no cursor")


async def resumes_after_any_page(case: Case) -> None:
    for stream in case.connector.streams:
        pages = await _read(case, ScriptedVendor(case.well), stream.name)
        for cut in range(1, len(pages)):
            seen = [key for page in pages[:cut] for key in page.keys]
            rest = await _read(case, ScriptedVendor(case.well), stream.name, pages[cut - 1].cursor)
            seen += [key for page in rest for key in page.keys]
            _ensure(sorted(seen) == sorted(case.keys(stream.name)), f"{stream.name}: resuming after page {cut} differs")


async def waits_when_throttled(case: Case) -> None:
    asked = timedelta(seconds=0.1)
    for stream in case.connector.streams:
        vendor = ScriptedVendor(case.well).then(case.throttled(asked), fine, case.throttled(asked))
        started = time.monotonic()
        await _expect_all(case, vendor, stream.name)
        _ensure(time.monotonic() - started >= 1.8 * asked.total_seconds(), "the vendor's wait was not honoured")


async def waits_as_retry_after_says(case: Case) -> None:
    for code in (429, 503):
        vendor = ScriptedVendor(case.well).then(status(code, headers={"Retry-After": "0.2"}))
        started = time.monotonic()
        await _expect_all(case, vendor, case.connector.streams[0].name)
        _ensure(time.monotonic() - started >= 0.2, f"Retry-After of a {code} was not honoured")


async def survives_passing_trouble(case: Case) -> None:
    troubles: tuple[Fault, ...] = (status(500), status(502), unreachable, dropped_after)
    for stream in case.connector.streams:
        for trouble in troubles:
            await _expect_all(case, ScriptedVendor(case.well).then(fine, trouble), stream.name)


async def gives_up_on_lasting_trouble(case: Case) -> None:
    stream = case.connector.streams[0].name
    vendor = ScriptedVendor(lambda _request: httpx.Response(503))
    outcome = await _outcome(lambda: _read(case, vendor, stream))
    _ensure(isinstance(outcome, Retriable), f"lasting trouble ended as {outcome!r}")
    _ensure(len(vendor.requests) < 200, "lasting trouble was asked for too often")


async def stops_at_an_expired_token(case: Case) -> None:
    vendor = ScriptedVendor(case.well).then(fine, *[case.expired_token()] * 50)
    outcome = await _outcome(lambda: _read(case, vendor, case.connector.streams[0].name))
    _ensure(isinstance(outcome, Fatal), f"an expired token ended as {outcome!r}")
    _ensure(len(vendor.requests) <= 3, "an expired token was tried again")


async def never_repeats_a_write_that_may_stand(case: Case) -> None:
    for trouble in (dropped_after, status(500), status(504)):
        vendor = _on_write(case, trouble)
        outcome = await _outcome(lambda vendor=vendor: _write(case, vendor))  # type: ignore[misc]
        _ensure(isinstance(outcome, OutcomeUnknown), f"a lost answer to a write ended as {outcome!r}")
        _ensure(_writes(case, vendor) == 1, "a write that may stand was sent again")


async def repeats_a_write_that_was_refused(case: Case) -> None:
    for trouble in (case.throttled(timedelta(seconds=0.01)), status(429, headers={"Retry-After": "0.01"}), unreachable):
        vendor = _on_write(case, trouble)
        await _write(case, vendor)
        _ensure(_writes(case, vendor) == 2, "a write that was refused unprocessed was not sent again")


async def never_shows_a_secret(case: Case) -> None:
    stream = case.connector.streams[0].name
    echo: Fault = status(400, json={"errors": " ".join(case.secrets)})
    ways: Sequence[Fault] = (echo, case.expired_token(), status(403), dropped_after, unreachable, status(500))
    with _everything_logged() as shown:
        for fault in ways:
            vendor = ScriptedVendor(case.well).then(*[fault] * 50)
            async with case.open(vendor.transport) as client:
                shown.write(f"{client!r}{vars(client) if hasattr(client, '__dict__') else ''}")
                try:
                    await anext(aiter(case.pages(client, stream, None)))
                except ConnectorOutcome as error:
                    shown.write("".join(traceback.format_exception(error)) + repr(error) + error.detail)
        await _write(case, ScriptedVendor(case.well))
    text = shown.getvalue()
    _ensure(len(text) > 0, "nothing was logged, so that nothing was checked")
    _ensure(not any(secret in text for secret in case.secrets), "a secret shows in a log, an error or a repr")


CHECKS: Final[tuple[Check, ...]] = (
    declares_itself,
    discovers_the_account,
    pages_through_every_stream,
    resumes_after_any_page,
    waits_when_throttled,
    waits_as_retry_after_says,
    survives_passing_trouble,
    gives_up_on_lasting_trouble,
    stops_at_an_expired_token,
    never_repeats_a_write_that_may_stand,
    repeats_a_write_that_was_refused,
    never_shows_a_secret,
)


async def _read(case: Case, vendor: ScriptedVendor, stream: str, cursor: str | None = None) -> list[CasePage]:
    async with case.open(vendor.transport) as client:
        return [page async for page in case.pages(client, stream, cursor)]


async def _expect_all(case: Case, vendor: ScriptedVendor, stream: str) -> None:
    keys = [key for page in await _read(case, vendor, stream) for key in page.keys]
    _ensure(not vendor.faults, f"{stream}: the faults were not met")
    _ensure(sorted(keys) == sorted(case.keys(stream)), f"{stream}: records were lost or doubled in trouble")


async def _write(case: Case, vendor: ScriptedVendor) -> None:
    async with case.open(vendor.transport) as client:
        await case.write(client)


def _on_write(case: Case, fault: Fault) -> ScriptedVendor:
    """A vendor that is healthy but for its first write."""
    left = [fault]

    def answer(request: httpx.Request) -> httpx.Response:
        if case.is_write(request) and left:
            return left.pop()(request, case.well)
        return case.well(request)

    return ScriptedVendor(answer)


def _writes(case: Case, vendor: ScriptedVendor) -> int:
    return sum(case.is_write(request) for request in vendor.requests)


async def _outcome(run: Callable[[], Awaitable[object]]) -> ConnectorOutcome | None:
    try:
        await run()
    except ConnectorOutcome as outcome:
        return outcome
    return None


@contextmanager
def _everything_logged() -> Iterator[io.StringIO]:
    """All that any logger says at DEBUG, ours and the libraries'."""
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with structlog.testing.capture_logs() as entries:
            yield shown
        shown.write(repr(entries))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _ensure(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
