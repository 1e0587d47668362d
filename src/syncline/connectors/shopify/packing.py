"""Small calls made at the same moment travel as one request, each under an alias, and are answered one by one.

Inside `packing(client)` every document of one root field that is executed is held until the other tasks of the block
have had their turn, and goes with theirs: mutations apart from queries, and what may be repeated apart from what may
not, so that a lost answer of the one never makes the other uncertain. Shopify prices root fields one by one, carries
mutations out in their order, and answers and refuses each alias for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

import msgspec

from syncline.connectors.shopify.answers import Answer
from syncline.connectors.shopify.cost import MAX_QUERY_COST, estimate
from syncline.connectors.shopify.errors import MaxCostExceeded
from syncline.connectors.shopify.templates import Template, combined, template_of
from syncline.kernel.errors import ConnectorOutcome, Retriable
from syncline.runtime.connect.cost_limiter import CostLimiter
from syncline.runtime.connect.errors import NotProcessed, OutcomeUnknown
from syncline.runtime.connect.retry import unknown

MAX_ALIASES: Final = 100
"""Mutations of 10 points, the cheapest there are, in one request of 1,000. Reads are held to the same number."""
MAX_BYTES: Final = 2_000_000
"""Of the variables of one request: texts of products are long, and Shopify turns away what is too large."""

_PACK: ContextVar[Pack | None] = ContextVar("shopify_pack", default=None)


class Carrier(Protocol):
    """The store's client, which carries what is packed."""

    @property
    def limiter(self) -> CostLimiter: ...

    def cost_of(self, query: str, variables: Mapping[str, Any]) -> float: ...

    def learn_ids(self, each: float, alone: float, told: float) -> None: ...

    async def send(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        idempotent: bool,
        deadline: timedelta | None = None,
        cost: float | None = None,
    ) -> Answer: ...


@dataclass(slots=True)
class Spent:
    """What calls came to. `calls` is what would have been a request each; points are Shopify's, `actual` the charged
    ones. A request whose answer was lost counts with what was set aside for it."""

    calls: int = 0
    requests: int = 0
    requested: float = 0.0
    actual: float = 0.0

    def add(self, calls: int, requested: float, actual: float) -> None:
        self.calls += calls
        self.requests += 1
        self.requested += requested
        self.actual += actual


@dataclass(slots=True)
class _Part:
    """`template` is None for a document that can only travel alone."""

    query: str
    template: Template | None
    variables: Mapping[str, Any]
    idempotent: bool
    deadline: timedelta | None
    cost: float
    answer: asyncio.Future[Answer]

    @property
    def weight(self) -> int:
        return len(msgspec.json.encode(self.variables))

    def resolve(self, answer: Answer | BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(answer, BaseException):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


@dataclass(slots=True)
class Pack:
    """The calls of one block. `floor` is the least number of points that one request may have, however little the
    store's bucket holds at the moment; more than that it has only while they are there."""

    client: Carrier
    floor: float = MAX_QUERY_COST
    spent: Spent = field(default_factory=Spent)
    _waiting: list[_Part] = field(default_factory=list)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    async def ask(
        self, query: str, variables: Mapping[str, Any], *, idempotent: bool, deadline: timedelta | None
    ) -> Answer:
        """What the client would have answered to this document alone."""
        loop = asyncio.get_running_loop()
        part = _Part(
            query,
            template_of(query),
            variables,
            idempotent,
            deadline,
            self.client.cost_of(query, variables),
            loop.create_future(),
        )
        if not self._waiting:
            # Whoever else is about to ask in this turn of the loop has done so before the next one begins.
            loop.call_soon(self._flush)
        self._waiting.append(part)
        return await part.answer

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for parts in self._cut(waiting):
            task = asyncio.get_running_loop().create_task(self._send(parts))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _cut(self, waiting: Sequence[_Part]) -> Iterator[list[_Part]]:
        """Like goes with like: the same composition gives the same text, which Shopify and we then know already."""
        groups: dict[tuple[object, ...], list[_Part]] = {}
        for part in waiting:
            alone = None if part.template is not None else id(part)
            kind = part.template.kind if part.template is not None else ""
            groups.setdefault((kind, part.idempotent, alone), []).append(part)
        room = self.client.limiter.available
        for group in groups.values():
            for parts in _packs(sorted(group, key=lambda part: part.query), room, self._ceiling):
                room -= sum(part.cost for part in parts)
                yield parts

    def _ceiling(self, room: float) -> float:
        return min(MAX_QUERY_COST, self.client.limiter.bucket.capacity, max(self.floor, room))

    async def _send(self, parts: list[_Part]) -> None:
        try:
            if len(parts) == 1:
                parts[0].resolve(await self._alone(parts[0]))
            else:
                await self._together(parts)
        except asyncio.CancelledError:
            for part in parts:
                part.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits for each of the calls
            for part in parts:
                part.resolve(error)

    async def _alone(self, part: _Part) -> Answer:
        try:
            answer = await self.client.send(
                part.query, part.variables, idempotent=part.idempotent, deadline=part.deadline
            )
        except ConnectorOutcome as error:
            self._count_failure(1, part.cost, error)
            raise
        self.spent.add(1, answer.cost.requested, answer.cost.actual)
        return answer

    async def _together(self, parts: list[_Part]) -> None:
        query, variables = combined([(part.template, part.variables) for part in parts if part.template is not None])
        cost = sum(part.cost for part in parts)
        deadlines = [part.deadline for part in parts if part.deadline is not None]
        try:
            answer = await self.client.send(
                query,
                variables,
                idempotent=parts[0].idempotent,
                deadline=min(deadlines, default=None),
                cost=min(cost, MAX_QUERY_COST),
            )
        except MaxCostExceeded:
            # Refused before it cost anything: our law was wrong about one of them.
            half = len(parts) // 2
            await asyncio.gather(self._send(parts[:half]), self._send(parts[half:]))
            return
        except ConnectorOutcome as error:
            self._count_failure(len(parts), cost, error)
            raise
        self.spent.add(len(parts), answer.cost.requested, answer.cost.actual)
        lists_alone = sum(estimate(part.query, part.variables, each_id=False) for part in parts)
        self.client.learn_ids(cost, lists_alone, answer.cost.requested)
        await asyncio.gather(*(self._hand_out(index, part, answer) for index, part in enumerate(parts)))

    async def _hand_out(self, index: int, part: _Part, answer: Answer) -> None:
        """One alias of the answer to the call that is behind it."""
        assert part.template is not None
        name = part.template.alias(index)
        error, payload = answer.errors.get(name), answer.data.get(name)
        if error is None:
            part.resolve(Answer({part.template.root: payload}, answer.cost, answer.served_version))
        elif part.idempotent and isinstance(error, Retriable):
            await self._send([part])
        elif not part.idempotent and isinstance(error, Retriable) and not isinstance(error, NotProcessed):
            part.resolve(unknown(error))
        elif not part.idempotent and payload is not None:
            part.resolve(half_answered(error))
        else:
            part.resolve(error)

    def _count_failure(self, calls: int, cost: float, error: ConnectorOutcome) -> None:
        """What was certainly not carried out was not charged either."""
        lost = isinstance(error, OutcomeUnknown)
        self.spent.add(calls, cost if lost else 0.0, cost if lost else 0.0)

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)


def half_answered(error: ConnectorOutcome) -> OutcomeUnknown:
    """A write that was answered with data and an error beside it: it may stand, and must be read back."""
    return OutcomeUnknown(
        "Shopify answered a change only in part; Syncline reads the record back.",
        detail=str(error),
        vendor_code=error.vendor_code,
    )


def _packs(parts: Sequence[_Part], room: float, ceiling: Callable[[float], float]) -> Iterator[list[_Part]]:
    """As many of `parts` a request as its points, its size and the number of aliases allow; at least one. `room` is how
    many points there are before the first of them."""
    pack: list[_Part] = []
    points, weight = 0.0, 0
    for part in parts:
        size = part.weight
        full = points + part.cost > ceiling(room) or weight + size > MAX_BYTES or len(pack) == MAX_ALIASES
        if pack and full:
            yield pack
            room -= points
            pack, points, weight = [], 0.0, 0
        pack.append(part)
        points += part.cost
        weight += size
    if pack:
        yield pack


def current_pack(client: Carrier) -> Pack | None:
    """The block that this task is in, if it packs the calls of this client."""
    pack = _PACK.get()
    return pack if pack is not None and pack.client is client else None


@asynccontextmanager
async def packing(client: Carrier, *, floor: float = MAX_QUERY_COST) -> AsyncIterator[Pack]:
    """What the tasks started in the block ask of `client` at the same time goes in as few requests as it fits in."""
    pack = Pack(client, floor=floor)
    token = _PACK.set(pack)
    try:
        yield pack
    finally:
        _PACK.reset(token)
        await pack.close()
