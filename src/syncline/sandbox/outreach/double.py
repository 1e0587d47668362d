"""What the doubles of lemlist and Smartlead share beyond any double: a store, arrivals, the truth, and webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from syncline.kernel import clock
from syncline.sandbox import webhooks
from syncline.sandbox.double import Double, answer, in_pieces
from syncline.sandbox.outreach.store import Event, Store
from syncline.sandbox.outreach.timelines import DAY, Kind
from syncline.sandbox.webhooks import Deliverer


class OutreachDouble(Double):
    retries: Sequence[float] = ()
    """Seconds after which a webhook that failed is sent again."""

    def __init__(
        self, store: Store, switches: Any, *, kinds: Mapping[str, str] | None = None, faults: str = "", seed: int = 1
    ) -> None:
        super().__init__(switches, kinds={**webhooks.KINDS, **(kinds or {})}, faults=faults, seed=seed)
        self.store = store
        self.deliverer = Deliverer(
            self.faults, retries=self.retries, scale=lambda: float(self.switches.webhook_scale), is_final=self.is_final
        )

    # lemlist and Smartlead each say these three for themselves.

    def is_final(self, status: int) -> bool:
        """Whether no further attempt follows an answer of this status (0 is none)."""
        raise NotImplementedError

    def announce(self, event: Event) -> None:
        """Sends the webhooks of an event."""
        raise NotImplementedError

    def event_name(self, event: Event) -> str:
        raise NotImplementedError

    def event_id(self, event: Event) -> str:
        raise NotImplementedError

    def happen(
        self, kind: Kind, *, at_ms: int | None = None, mail: int | None = None, campaign: int | None = None
    ) -> Event:
        """Something happens now, or then; webhooks go out. Raises `ValueError`."""
        event = self.store.happen(kind, now_ms() if at_ms is None else at_ms, mail=mail, campaign=campaign)
        self.announce(event)
        return event

    def arrivals(self) -> None:
        """Called before a page is read: what happens in the meantime shifts the list."""
        kinds = (Kind.SENT, Kind.OPENED)
        for number in range(self.switches.arrivals):
            self.happen(kinds[number % len(kinds)])
        for _ in range(self.switches.removals):
            lead = self.store.any_lead()
            if lead is not None:
                self.remove(lead)

    def remove(self, lead: int) -> None:
        """A lead, with all that happened to it."""
        self.store.remove_lead(lead, with_past=True)

    def control(self) -> list[Route]:
        return [
            Route("/sandbox/truth", self._truth),
            Route("/sandbox/events", self._events),
            Route("/sandbox/happen", self._happen, methods=["POST"]),
            Route("/sandbox/deliveries", self._deliveries),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.deliverer.running():
            yield

    async def _truth(self, _: Request) -> Response:
        """GET: how many campaigns, leads, mails and events there are, and events by kind."""
        return answer(self.store.counts())

    async def _events(self, _: Request) -> Response:
        """GET: every event, once, as JSON lines: {"id", "kind", "at", "campaign", "email", "step", "first"}."""
        return StreamingResponse(in_pieces(self._lines()), media_type="application/jsonl")

    def _lines(self) -> Iterator[bytes]:
        for event, email in self.store.all_events():
            yield msgspec.json.encode({
                "id": self.event_id(event),
                "kind": self.event_name(event),
                "at": moment(event.at_ms),
                "campaign": event.campaign,
                "mail": event.mail,
                "email": email,
                "step": event.step,
                "first": event.is_first,
            }) + b"\n"  # fmt: skip

    async def _happen(self, request: Request) -> Response:
        """POST `{"kind": "opened", "count": 1, "mail": 7, "campaign": 2, "days_ago": 0}`: it happens, with webhooks."""
        sent = await request.json()
        try:
            kind = Kind[str(sent["kind"]).upper()]
            at_ms = now_ms() - round(float(sent.get("days_ago", 0)) * DAY)
            made = [
                self.happen(kind, at_ms=at_ms, mail=sent.get("mail"), campaign=sent.get("campaign"))
                for _ in range(int(sent.get("count", 1)))
            ]
        except KeyError as error:
            known = ", ".join(kind.name.lower() for kind in Kind)
            return answer({"error": f"kind is one of {known}, not {error}."}, 400)
        except (ValueError, TypeError) as error:
            return answer({"error": str(error)}, 400)
        return answer([{"id": self.event_id(one), "mail": one.mail, "at": moment(one.at_ms)} for one in made])

    async def _deliveries(self, request: Request) -> Response:
        """GET: the webhooks and the answers they got; with `wait=1` when none waits any more."""
        if request.query_params.get("wait") == "1":
            await self.deliverer.settled()
        return answer([one.shown() for one in self.deliverer.kept])


def now_ms() -> int:
    return round(clock.now().timestamp() * 1000)


def moment(at_ms: int) -> str:
    """`2025-10-27T20:20:59.696Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str, *, is_end: bool = False) -> int | None:
    """ISO 8601 (naive is UTC; a bare day is its first millisecond, or with `is_end` its last) or Unix seconds; None
    for anything else."""
    if text.isdigit() and len(text) >= 9:
        return int(text) * 1000
    try:
        told = datetime.fromisoformat(text.replace(" ", "T", 1))
    except ValueError:
        return None
    whole = told if told.tzinfo else told.replace(tzinfo=UTC)
    end = DAY - 1 if is_end and len(text) == 10 else 0
    return round(whole.timestamp() * 1000) + end
