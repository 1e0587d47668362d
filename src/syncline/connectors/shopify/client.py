"""One store's Admin GraphQL API: calls are planned by cost, repeated only when that is safe, and judged by code."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
import structlog

from syncline.connectors.shopify import queries
from syncline.connectors.shopify.answers import VERSION_HEADER, Answer, Body, Cost, Reader
from syncline.connectors.shopify.auth import AccessToken, store_origin
from syncline.connectors.shopify.cost import MAX_QUERY_COST, estimate
from syncline.connectors.shopify.errors import TOO_HEAVY_CODES, TooHeavy
from syncline.connectors.shopify.packing import current_pack, half_answered
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome
from syncline.runtime.connect.client import Call, HttpClient, Timeouts, http_date, log_retry
from syncline.runtime.connect.cost_limiter import CostLimiter, Reservation
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import NotNow, NotProcessed, Throttled, VendorTrouble
from syncline.runtime.connect.redact import Redactor
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.retry import DEFAULT_RETRY, RetryPolicy, retrying

log = structlog.get_logger("syncline.connectors.shopify")

LATEST = "2026-10"

# The smallest plan (Standard); the first answer tells the true figures.
_CAPACITY, _RESTORE_RATE = 2000.0, 100.0
# What may be sent before the bucket was seen: little enough to pass unless it is all but empty.
_BLIND_COST = 20
# A refused call goes back to the head of the queue; more refusals in a row mean that another client starves us.
_MAX_THROTTLED = 20
_DEADLINE = timedelta(minutes=5)
_CLOCK_GRAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ShopifyConfig:
    """`base_url` stands in for `https://{shop_domain}` when the store is a double, such as `http://127.0.0.1:9393`."""

    shop_domain: str
    access_token: str = field(repr=False)
    api_version: str = LATEST
    base_url: str | None = None
    client_id: str | None = None
    """Of the app whose token it is, where the token is replaced by others while the app stays."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A document and its points, where the caller knows them because it put the document together."""

    query: str
    variables: Mapping[str, Any]
    cost: float | None


class ShopifyClient:
    """Opened once per store and shared by as many tasks as wanted. An async context manager.

    All clients of a process for the same store and token plan by one bucket and one breaker, kept in `registry`.
    """

    def __init__(
        self,
        config: ShopifyConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
        auth: httpx.Auth | None = None,
    ) -> None:
        """`auth` signs in place of the config's token, which is then only the first of several."""
        origin = store_origin(config.shop_domain, config.base_url)
        self.config = config
        self.served_version: str | None = None
        self._clock_offset = timedelta(0)
        self._url = f"{origin}/admin/api/{config.api_version}/graphql.json"
        self._retry = retry
        self._redact = Redactor([config.access_token])
        self._reader = Reader(config.shop_domain, config.api_version, self._redact)
        # By query and page sizes: our estimate and what Shopify asked for.
        self._learned: dict[tuple[object, ...], tuple[float, float]] = {}
        self._each_id = True
        self.seconds_by_operation: dict[str, float] = {}
        upstream = f"shopify:{config.shop_domain}"
        # Each app has its own bucket at a store, so app or token is part of the bucket's name, as a digest.
        app = hashlib.sha256((config.client_id or config.access_token).encode()).hexdigest()[:12]
        self.limiter = registry.limiter(
            f"{origin}:{config.shop_domain}:{app}",
            lambda: CostLimiter(capacity=_CAPACITY, restore_rate=_RESTORE_RATE),
        )
        self.http = HttpClient(
            upstream,
            breaker=registry.breaker(upstream if config.base_url is None else f"{upstream} at {origin}"),
            auth=auth or AccessToken(config.access_token),
            redactor=self._redact,
            timeouts=timeouts,
            transport=transport,
            hooks=registry.hooks,
        )
        # Result files lie on another host, which must never see the token.
        self.files = HttpClient(
            f"{upstream} files",
            breaker=registry.breaker(f"{upstream} files at {origin}"),
            redactor=self._redact,
            timeouts=timeouts or Timeouts(read=timedelta(seconds=30)),
            transport=transport,
            hooks=registry.hooks,
        )

    def __repr__(self) -> str:
        return f"ShopifyClient({self.config.shop_domain!r}, {self.config.api_version!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.http.close()
        await self.files.close()

    @property
    def version(self) -> str:
        """The version spoken: the one served, once an answer has told it."""
        return self.served_version or self.config.api_version

    @property
    def fell_forward(self) -> bool:
        """Whether Shopify serves another version than was asked for, because that one has ended."""
        return self.served_version is not None and self.served_version != self.config.api_version

    async def execute(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        idempotent: bool,
        deadline: timedelta | None = None,
        can_shrink: bool = False,
    ) -> Answer:
        """Runs one document. `deadline` (5 minutes unless told) covers waiting for points, tries and pauses together.
        With `can_shrink`, what looks too heavy for Shopify is given up as `TooHeavy` after a second try.

        Raises a connector outcome for everything that is not a whole, clean answer. With `idempotent=False` a failure
        that leaves open whether Shopify acted is `OutcomeUnknown`, and is never repeated here.
        """
        pack = current_pack(self)
        if pack is not None and not can_shrink:
            return await pack.ask(query, variables or {}, idempotent=idempotent, deadline=deadline)
        return await self.send(query, variables, idempotent=idempotent, deadline=deadline, can_shrink=can_shrink)

    async def send(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        idempotent: bool,
        deadline: timedelta | None = None,
        can_shrink: bool = False,
        cost: float | None = None,
    ) -> Answer:
        """`execute` as a request of its own, also inside `packing`. With `cost`, in points, it is a pack: what is wrong
        with one of its root fields is told in the answer's `errors` instead of raised."""
        limit = Deadline.after(deadline or _DEADLINE)
        variables = variables or {}
        planned = _Planned(query, variables, cost)
        if not self.limiter.bucket.known and query != queries.PROBE and self._points(planned) > _BLIND_COST:
            await self.send(queries.PROBE, idempotent=True, deadline=deadline)
        operation = _name(query)
        call = Call(
            operation,
            self._url,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            content=msgspec.json.encode({"query": query, "variables": variables}),
        )

        async def once(attempt: int) -> Answer:
            try:
                return await self._planned(call, planned, limit, idempotent=idempotent)
            except VendorTrouble as error:
                if can_shrink and attempt > 1 and error.vendor_code in TOO_HEAVY_CODES:
                    raise TooHeavy(error.sentence, detail=error.detail, vendor_code=error.vendor_code) from error
                raise

        return await retrying(
            once,
            idempotent=idempotent,
            policy=self._retry,
            deadline=limit,
            on_retry=log_retry(self.http.upstream, operation),
        )

    async def _planned(self, call: Call, planned: _Planned, limit: Deadline, *, idempotent: bool) -> Answer:
        """One attempt, where being refused for cost is no failure but a place at the head of the queue."""
        judge = self._judge if planned.cost is None else self._judge_apart
        for refused in range(_MAX_THROTTLED):
            reservation = await self._reserve(self._points(planned), limit, again=refused > 0)
            seen: list[Body] = []
            charged = True
            sent = time.monotonic()
            try:
                body = await self.http.attempt(call, partial(judge, seen), deadline=limit)
                self._took(call.operation, time.monotonic() - sent)
                return self._answer(body, {} if planned.cost is None else self._reader.errors_apart(body))
            except NotProcessed as error:
                charged = False
                if not isinstance(error, Throttled) or not seen or seen[0].report is None:
                    raise
            except ConnectorOutcome as error:
                if not idempotent and any(_wrote(body) for body in seen):
                    raise half_answered(error) from error
                raise
            finally:
                self._settle(reservation, seen, planned, charged=charged)
        raise NotNow(
            f"Other apps use up the calls Shopify allows to {self.config.shop_domain}.",
            vendor_code="THROTTLED",
            wait=timedelta(seconds=30),
        )

    def _took(self, operation: str, seconds: float) -> None:
        """What the store needs for an operation, the last calls weighing most; waiting for points is not in it."""
        before = self.seconds_by_operation.get(operation, seconds)
        self.seconds_by_operation[operation] = before * 0.7 + seconds * 0.3

    async def _reserve(self, cost: float, limit: Deadline, *, again: bool) -> Reservation:
        try:
            async with asyncio.timeout(limit.remaining()):
                return await self.limiter.reserve(cost, again=again)
        except TimeoutError:
            raise NotProcessed(
                f"The calls Shopify allows to {self.config.shop_domain} were used up for the whole time allowed.",
                vendor_code="deadline",
            ) from None

    def _judge(self, seen: list[Body], response: httpx.Response) -> Body:
        """Inside the breaker, so that Shopify's troubles reported with status 200 count as troubles."""
        body = self._seen(seen, response)
        self._reader.raise_for(body)
        return body

    def _judge_apart(self, seen: list[Body], response: httpx.Response) -> Body:
        body = self._seen(seen, response)
        self._reader.errors_apart(body)
        return body

    def _seen(self, seen: list[Body], response: httpx.Response) -> Body:
        self._note_version(response)
        self._note_time(response)
        body = self._reader.body(response)
        seen.append(body)
        return body

    def _settle(self, reservation: Reservation, seen: list[Body], planned: _Planned, *, charged: bool) -> None:
        report = seen[0].report if seen else None
        if report is not None:
            self._learn(planned, report.requested)
            reservation.settle(report)
        elif seen or not charged:
            reservation.give_back()
        else:
            reservation.charge()

    def _learn(self, planned: _Planned, told: float) -> None:
        """A pack teaches nothing here: hardly two are alike, and what is in them is known one by one."""
        if planned.cost is not None:
            return
        query, variables = planned.query, planned.variables
        self._learned[_signature(query, variables)] = (_estimated(query, variables), told)
        self.learn_ids(estimate(query, variables), estimate(query, variables, each_id=False), told)

    def learn_ids(self, each: float, alone: float, told: float) -> None:
        """Shopify asked for `told` points for what costs `each` if ids are counted one by one, and `alone` if a list of
        them counts once."""
        if alone < each:
            self._each_id = told > alone

    def _answer(self, body: Body, errors: Mapping[str, ConnectorOutcome]) -> Answer:
        report = body.report
        bucket = self.limiter.bucket
        cost = (
            Cost(0, 0, bucket.level, bucket.capacity, bucket.restore_rate)
            if report is None
            else Cost(report.requested, report.actual or 0, report.available, report.capacity, report.restore_rate)
        )
        return Answer(body.data or {}, cost, self.version, errors)

    def _points(self, planned: _Planned) -> float:
        return self.cost_of(planned.query, planned.variables) if planned.cost is None else planned.cost

    def cost_of(self, query: str, variables: Mapping[str, Any]) -> float:
        """Points: what Shopify's law says, corrected by what Shopify asked for the same query before.

        A list of ids may be longer now, so that the earlier figure grows with the estimate, but never shrinks with it:
        whether Shopify counts ids one by one is not known until it has told.
        """
        now = _estimated(query, variables, each_id=self._each_id)
        if (learned := self._learned.get(_signature(query, variables))) is None:
            return now
        then, told = learned
        if not _has_list(variables):
            return told
        return min(now, max(told, told * now / then)) if then else told

    def store_now(self) -> datetime:
        """The present by Shopify's clock, at most two seconds late and never early; by ours before the first answer.

        What was changed before it has been changed for whoever reads from now on.
        """
        return clock.now().replace(microsecond=0) + self._clock_offset - _CLOCK_GRAIN

    def _note_time(self, response: httpx.Response) -> None:
        told = http_date(response.headers.get("Date", ""))
        if told is not None:
            offset = told - clock.now()
            # The header tells whole seconds: nearer to each other than that the clocks agree as far as anybody knows.
            self._clock_offset = timedelta(0) if abs(offset) < _CLOCK_GRAIN else offset

    def has_learned(self, query: str, variables: Mapping[str, Any]) -> bool:
        """Whether Shopify has told the cost of this query at these page sizes."""
        return _signature(query, variables) in self._learned

    def _note_version(self, response: httpx.Response) -> None:
        served = response.headers.get(VERSION_HEADER)
        if served is None or served == self.served_version:
            return
        self.served_version = served
        if self.fell_forward:
            log.warning(
                "Shopify serves another API version than was asked for",
                shop=self.config.shop_domain,
                asked=self.config.api_version,
                served=served,
            )


def _name(query: str) -> str:
    """`ProductsPage` of `query ProductsPage($first: Int!) {`."""
    head = query.split("{", 1)[0].split("(", 1)[0].split()
    return head[1] if len(head) > 1 else "query"


def _signature(query: str, variables: Mapping[str, Any]) -> tuple[object, ...]:
    """What the cost of a query depends on, besides the length of its lists: its text and its page sizes."""
    return (query, *((name, value) for name, value in sorted(variables.items()) if isinstance(value, int)))


def _estimated(query: str, variables: Mapping[str, Any], *, each_id: bool = True) -> float:
    return float(min(estimate(query, variables, each_id=each_id), MAX_QUERY_COST))


def _has_list(variables: Mapping[str, Any]) -> bool:
    return any(isinstance(value, list) for value in variables.values())


def _wrote(body: Body) -> bool:
    return any(value is not None for value in (body.data or {}).values())
