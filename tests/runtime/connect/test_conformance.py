"""The suite itself: a good connector passes it, and each fault planted in one is caught by the check named for it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import TracebackType
from typing import Self

import httpx
import pytest
import structlog

from syncline.kernel.errors import Fatal
from syncline.runtime.connect import conformance
from syncline.runtime.connect.breaker import Breaker
from syncline.runtime.connect.client import Call, HttpClient, retry_after
from syncline.runtime.connect.connector import Action, ApiVersion, Auth, Connector, RateLimit, Stream
from syncline.runtime.connect.errors import Throttled, VendorTrouble
from syncline.runtime.connect.redact import Redactor
from syncline.runtime.connect.retry import retrying
from syncline.runtime.connect.testing import FAST_RETRY, Fault, status

SECRET = "acme-secret-0123456789"
URL = "https://acme.test"


@dataclass(frozen=True)
class AcmeConfig:
    key: str = field(repr=False)


@dataclass(frozen=True)
class Loud:
    key: str


@dataclass(frozen=True)
class Bad:
    """What this connector does wrong."""

    repeats_writes: bool = False
    forgets_wait: bool = False
    retries_refusals: bool = False
    loses_last_page: bool = False
    ignores_cursor: bool = False
    logs_its_key: bool = False
    gives_up_at_once: bool = False


STREAM = Stream("things", ("thing",), {"thing": "id"}, "updated", "by number")
ACME = Connector(
    name="acme",
    config=AcmeConfig,
    auth=Auth("key", ("key",)),
    streams=(STREAM,),
    actions=(Action("write", "id"),),
    api_versions=(ApiVersion("1"),),
    rate_limits=(RateLimit("calls", {"any": 1.0}),),
)


class AcmeClient:
    def __init__(self, transport: httpx.AsyncBaseTransport, bad: Bad) -> None:
        self.bad = bad
        self._http = HttpClient("acme", breaker=Breaker("acme"), redactor=Redactor([SECRET]), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.close()

    async def get(self, path: str, *, idempotent: bool = True) -> httpx.Response:
        if self.bad.logs_its_key:
            structlog.get_logger().info("calling", key=SECRET)
        call = Call("acme", f"{URL}{path}", method="GET" if idempotent else "POST", headers={"Key": SECRET})
        policy = replace(FAST_RETRY, attempts=1) if self.bad.gives_up_at_once else FAST_RETRY
        return await retrying(
            lambda _: self._http.attempt(call, self._judge),
            idempotent=idempotent or self.bad.repeats_writes,
            policy=policy,
        )

    def _judge(self, response: httpx.Response) -> httpx.Response:
        wait = None if self.bad.forgets_wait else retry_after(response)
        if response.status_code == 429:
            raise Throttled("slower", wait=wait)
        if response.status_code >= 500 or (self.bad.retries_refusals and response.status_code == 401):
            raise VendorTrouble("ill", wait=wait)
        if response.status_code != 200:
            raise Fatal("refused", detail=self._http.redact(response.text))
        return response


@dataclass(frozen=True)
class Page:
    keys: list[str]
    cursor: str | None


class AcmeCase:
    connector = ACME
    secrets: Collection[str] = (SECRET,)

    def __init__(self, bad: Bad | None = None) -> None:
        self._bad = bad or Bad()

    def well(self, request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 0))
        return httpx.Response(200, json={"keys": [f"{page}a", f"{page}b"], "last": page == 3})

    def throttled(self, wait: timedelta) -> Fault:
        return status(429, headers={"Retry-After": str(wait.total_seconds())})

    def expired_token(self) -> Fault:
        return status(401)

    def open(self, transport: httpx.AsyncBaseTransport) -> AcmeClient:
        return AcmeClient(transport, self._bad)

    async def discover(self, client: AcmeClient) -> None:
        await client.get("/")

    async def pages(self, client: AcmeClient, stream: str, cursor: str | None) -> AsyncIterator[conformance.CasePage]:
        number = 0 if self._bad.ignores_cursor else int(cursor or 0)
        while True:
            page = (await client.get(f"/{stream}?page={number}")).json()
            if not (page["last"] and self._bad.loses_last_page):
                yield Page(page["keys"], None if page["last"] else str(number + 1))
            if page["last"]:
                return
            number += 1

    def keys(self, stream: str) -> Collection[str]:
        return [f"{page}{letter}" for page in range(4) for letter in "ab"]

    async def write(self, client: AcmeClient) -> None:
        await client.get("/write", idempotent=False)

    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "POST"


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
async def test_good_connector_passes(check: Callable[[conformance.Case], Awaitable[None]]) -> None:
    await check(AcmeCase())


@pytest.mark.parametrize(
    ("bad", "check"),
    [
        (Bad(repeats_writes=True), conformance.never_repeats_a_write_that_may_stand),
        (Bad(forgets_wait=True), conformance.waits_when_throttled),
        (Bad(forgets_wait=True), conformance.waits_as_retry_after_says),
        (Bad(retries_refusals=True), conformance.stops_at_an_expired_token),
        (Bad(loses_last_page=True), conformance.pages_through_every_stream),
        (Bad(ignores_cursor=True), conformance.resumes_after_any_page),
        (Bad(logs_its_key=True), conformance.never_shows_a_secret),
    ],
)
async def test_fault_is_caught(bad: Bad, check: Callable[[conformance.Case], Awaitable[None]]) -> None:
    with pytest.raises(AssertionError):
        await check(AcmeCase(bad))


async def test_connector_that_gives_up_at_once_is_caught() -> None:
    with pytest.raises(VendorTrouble):
        await conformance.survives_passing_trouble(AcmeCase(Bad(gives_up_at_once=True)))


@pytest.mark.parametrize(
    ("connector", "words"),
    [
        (replace(ACME, config=Loud), "secret fields show"),
        (replace(ACME, streams=(STREAM, STREAM)), "used twice"),
        (replace(ACME, streams=(replace(STREAM, key={}),)), "key of each kind"),
        (replace(ACME, streams=(replace(STREAM, paging=""),)), "cursor and paging"),
        (replace(ACME, actions=(Action("write", ""),)), "idempotent"),
        (replace(ACME, api_versions=()), "API version"),
    ],
)
async def test_incomplete_declaration_is_caught(connector: Connector, words: str) -> None:
    case = AcmeCase()
    case.connector = connector
    with pytest.raises(AssertionError, match=words):
        await conformance.declares_itself(case)
