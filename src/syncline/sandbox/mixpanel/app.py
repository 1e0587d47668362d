"""`POST /import`, `/track`, `/engage`, `/groups` and `GET /api/2.0/export`, for one project."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from syncline.kernel import clock
from syncline.sandbox.double import Double, answer, choice, in_pieces, serving
from syncline.sandbox.mixpanel.profiles import updated
from syncline.sandbox.mixpanel.records import Record, Records
from syncline.sandbox.mixpanel.rules import Failure, as_milliseconds, judged, record
from syncline.sandbox.windows import RollingWindow

MOST_EVENTS = 2_000
FIVE_DAYS_MS = 5 * 86_400_000
STATUSES = {400: "Bad Request", 401: "Unauthorized", 413: "Request Entity Too Large", 429: "Too Many Requests"}
TOO_OFTEN = "Project exceeded rate limits. Please retry the request with exponential backoff."
KINDS = {
    "partial": "strict import refuses the first event of the batch, whatever it holds, and takes the others",
    "lost": "import answers 200 and keeps nothing",
}
COMPRESSED_FROM = 1_400
"""Bytes from which an export is compressed for those who accept it."""


@dataclass(slots=True)
class Switches:
    limits: bool = True
    """Whether anything is limited by rate."""
    max_bytes: int = 10_000_000
    """Of a body, uncompressed: the text says 10 MB, the printed example 2097152."""
    events_per_minute: int = 1_800_000
    bytes_per_minute: int = 2_000_000_000
    exports_per_hour: int = 60
    exports_per_second: int = 3
    future: str = choice("reject", "overwrite")
    """What becomes of a time more than an hour ahead: the documents say both."""
    failed_id: str = choice("$insert_id", "insert_id")
    """What failed_records calls it: the page says one, the OpenAPI document the other."""
    export_lag_seconds: float = 0.0
    """How long a record stays out of the export after it was taken; Mixpanel gives no figure."""


@dataclass(frozen=True, slots=True)
class Project:
    id: str = "4242"
    token: str = "mp-token-sandbox"  # noqa: S105 - the double's own, worth nothing elsewhere
    secret: str = "mp-secret-sandbox"  # noqa: S105
    username: str = "sandbox.service-account"
    password: str = field(default="mp-password-sandbox", repr=False)


class Mixpanel(Double):
    name = "mixpanel"

    def __init__(
        self,
        project: Project | None = None,
        switches: Switches | None = None,
        *,
        path: Path | None = None,
        faults: str = "",
        seed: int = 1,
    ) -> None:
        self.switches: Switches
        super().__init__(switches or Switches(), kinds=KINDS, faults=faults, seed=seed)
        self.project = project or Project()
        self.records = Records(path)
        self._events = RollingWindow(self.switches.events_per_minute, 60)
        self._bytes = RollingWindow(self.switches.bytes_per_minute, 60)
        self._exports = (RollingWindow(0, 3600), RollingWindow(0, 1))

    def routes(self) -> list[Route]:
        post = ("POST",)
        return [
            self.route("/import", self._import, post),
            self.route("/track", self._track, post),
            self.route("/engage", self._engage, post),
            self.route("/groups", self._groups, post),
            self.route("/api/2.0/export", self._export),
        ]

    def control(self) -> list[Route]:
        return [
            Route("/sandbox/counts", self._counts),
            Route("/sandbox/deduplicated", self._deduplicated),
            Route("/sandbox/profiles/{kind}", self._profiles),
            Route("/sandbox/records", self._forget, methods=["DELETE"]),
        ]

    # Who asks, and how often.

    def unauthorized(self, request: Request) -> Response | None:
        if request.url.path.rsplit("/", 1)[-1] in {"track", "engage", "groups"}:
            return None  # the token is in the body, and nobody looks whether it is a good one
        user, password = _basic(request)
        project, told = self.project, request.query_params.get("project_id")
        service = (user, password) == (project.username, project.password) and told == project.id
        secret = (user, password) == (project.secret, "")
        token = (user, password) == (project.token, "") and request.method == "POST"
        fits = told is None or told == project.id
        return None if service or ((secret or token) and fits) else self.wrong_key()

    def wrong_key(self) -> Response:
        return refused(401, "Invalid credentials")

    def limited(self, request: Request) -> float | None:
        if not self.switches.limits or request.method != "GET":
            return None  # ingestion is limited by what a body holds
        hour, second = self._exports
        hour.limit, second.limit = self.switches.exports_per_hour, self.switches.exports_per_second
        if not (hour.fits() and second.fits()):
            return 1.0
        hour.take()
        second.take()
        return None

    def too_many(self, seconds: float) -> Response:  # noqa: ARG002 - no Retry-After is documented
        return refused(429, TOO_OFTEN)

    def trouble(self) -> Response:
        return answer({"code": 500, "error": "Internal Server Error", "status": "Internal Server Error"}, 500)

    # Ingestion.

    async def _import(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return refused(400, "request body is not valid gzip")
        if len(body) > self.switches.max_bytes:
            return refused(413, f"request exceeds max limit of {self.switches.max_bytes} bytes")
        if "form" in request.headers.get("content-type", ""):
            return self._legacy(_form(body), len(body))
        events = _events(body, request.headers.get("content-type", ""))
        if events is None:
            return refused(400, "request body is not valid JSON")
        if len(events) > MOST_EVENTS:
            return refused(413, f"request exceeds max limit of {MOST_EVENTS} events")
        if not self._admit(len(events), len(body)):
            return self.too_many(0)
        return self._take(request, events)

    def _take(self, request: Request, events: list[Any]) -> Response:
        """Strict: what is good is kept and the rest is named. Otherwise what is bad is left out in silence."""
        now_ms = _now_ms()
        kept: list[Record] = []
        failed: list[dict[str, Any]] = []
        unlucky = self.faults.take("partial", f"POST {request.url.path}") is not None
        for index, one in enumerate(events):
            verdict = judged(one, now_ms=now_ms, future=self.switches.future)
            if unlucky and index == 0 and isinstance(verdict, Record):
                verdict = Failure(
                    "properties.time", "'properties.time' is invalid: the sandbox says so", verdict.insert_id
                )
            if isinstance(verdict, Record):
                kept.append(verdict)
                continue
            failed.append({
                "index": index,
                self.switches.failed_id: verdict.insert_id,
                "field": verdict.field,
                "message": verdict.message,
            })  # fmt: skip
        if not self.faults.take("lost", f"POST {request.url.path}"):
            self.records.add(kept, now_ms)
        if failed and request.query_params.get("strict") == "1":
            more = {"failed_records": failed, "num_records_imported": len(kept)}
            return refused(400, "some data points in the request failed validation", more)
        return answer({"code": 200, "num_records_imported": len(kept), "status": "OK"})

    async def _track(self, request: Request) -> Response:
        return self._legacy(_form(await request.body()), 0, oldest_ms=_now_ms() - FIVE_DAYS_MS)

    def _legacy(self, form: dict[str, str], size: int, *, oldest_ms: int = 0) -> Response:
        """The form of the client libraries: `data` is JSON or base64 of it, one object or a list."""
        events = _data(form.get("data", ""))
        if events is None or not all(isinstance(one, dict) and isinstance(one.get("event"), str) for one in events):
            return _told(form, "data, missing or empty")
        if not self._admit(len(events), size):
            return self.too_many(0)
        now_ms = _now_ms()
        kept = [_as_sent(one, now_ms) for one in events]
        self.records.add((one for one in kept if one.time_ms >= oldest_ms), now_ms)
        return _told(form, None)

    async def _engage(self, request: Request) -> Response:
        return self._profile(_form(await request.body()), request, "people", "$distinct_id")

    async def _groups(self, request: Request) -> Response:
        return self._profile(_form(await request.body()), request, "group", "$group_id")

    def _profile(self, form: dict[str, str], request: Request, kind: str, identity: str) -> Response:
        updates = _data(form.get("data", ""))
        form = {**request.query_params, **form}
        if updates is None or not all(isinstance(one, dict) and one.get(identity) for one in updates):
            return _told(form, "data, missing or empty")
        for one in updates:
            name = str(one[identity])
            before = self.records.profile(kind, name)
            after = updated({} if before is None else msgspec.json.decode(before), one)
            self.records.set_profile(kind, name, None if after is None else msgspec.json.encode(after))
        return _told(form, None)

    def _admit(self, events: int, size: int) -> bool:
        """What fails validation counts too."""
        self._events.limit, self._bytes.limit = self.switches.events_per_minute, self.switches.bytes_per_minute
        if self.switches.limits and not (self._events.fits(events) and self._bytes.fits(size)):
            self.counters.throttled += 1
            return False
        self._events.take(events)
        self._bytes.take(size)
        return True

    # Reading.

    async def _export(self, request: Request) -> Response:
        asked = request.query_params
        try:
            first, last = date.fromisoformat(asked["from_date"]), date.fromisoformat(asked["to_date"])
            events = json.loads(asked.get("event", "[]"))
            limit = int(asked["limit"]) if "limit" in asked else None
        except (KeyError, ValueError):
            return answer({"error": "from_date and to_date must be given as yyyy-mm-dd", "request": "/export"}, 400)
        if "where" in asked:
            return answer({"error": "where is not served by the sandbox", "request": "/export"}, 400)
        rows = self.records.export(
            first,
            last,
            events=events,
            limit=limit,
            until_ms=_now_ms() - round(self.switches.export_lag_seconds * 1000),
        )
        lines = _lines(rows, in_milliseconds=asked.get("time_in_ms") == "true")
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return StreamingResponse(in_pieces(lines), media_type="text/plain")
        return _compressed(lines)

    async def _counts(self, request: Request) -> Response:
        """GET: {"raw", "distinct", "compacted"}; with `by=event` or `by=day` the first two of each."""
        by = request.query_params.get("by")
        if by is None:
            return answer(self.records.counts())
        if by not in {"event", "day"}:
            return answer({"error": "by is event or day."}, 400)
        return answer(self.records.counts_by(by))

    async def _deduplicated(self, request: Request) -> Response:
        """GET with `from_date` and `to_date`: JSON lines as reports see it."""
        asked = request.query_params
        first = date.fromisoformat(asked.get("from_date", "1971-01-01"))
        last = date.fromisoformat(asked.get("to_date", "9999-12-31"))
        lines = _lines(self.records.deduplicated(first, last), in_milliseconds=True)
        return StreamingResponse(in_pieces(lines), media_type="application/jsonl")

    async def _profiles(self, request: Request) -> Response:
        rows = self.records.profiles(request.path_params["kind"])
        return answer({name: msgspec.Raw(properties) for name, properties in rows})

    async def _forget(self, _: Request) -> Response:
        """DELETE: nothing was ever ingested."""
        self.records.forget()
        return answer({"forgotten": True})


def create_app(double: Mixpanel) -> Starlette:
    return serving(("", double))


def refused(status: int, error: str, more: dict[str, Any] | None = None) -> Response:
    return answer({"code": status, "error": error, **(more or {}), "status": STATUSES[status]}, status)


def _basic(request: Request) -> tuple[str, str]:
    """User and password: Mixpanel takes them in base64 and as plain text."""
    _, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = given
    user, _, password = text.partition(":")
    return user, password


async def _body(request: Request) -> bytes | None:
    body = await request.body()
    if request.headers.get("content-encoding") != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None


def _events(body: bytes, kind: str) -> list[Any] | None:
    try:
        if "ndjson" in kind:
            return [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
        events = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return events if isinstance(events, list) else [events]


def _form(body: bytes) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}


def _data(text: str) -> list[Any] | None:
    try:
        raw = text if text.lstrip().startswith(("[", "{")) else base64.b64decode(text)
        data = json.loads(raw)
    except ValueError:
        return None
    events = data if isinstance(data, list) else [data]
    return events or None


def _as_sent(one: dict[str, Any], now_ms: int) -> Record:
    """Nothing is checked: what has no time happened now, what has no $insert_id gets one."""
    properties = one.get("properties") or {}
    time_ms = as_milliseconds(properties.get("time"))
    insert_id = properties.get("$insert_id") or uuid.uuid4().hex
    return record(
        one["event"],
        properties,
        str(properties.get("distinct_id", "")),
        now_ms if time_ms is None else time_ms,
        str(insert_id),
    )


def _told(form: dict[str, str], error: str | None) -> Response:
    if form.get("verbose") == "1":
        return answer({"status": 0 if error else 1, "error": error})
    return PlainTextResponse("0" if error else "1")


def _lines(rows: Iterator[tuple[str, int, str, str, int, bytes]], *, in_milliseconds: bool) -> Iterator[bytes]:
    for event, time_ms, distinct_id, _, received_ms, properties in rows:
        told = msgspec.json.decode(properties)
        time = time_ms if in_milliseconds else time_ms // 1000
        shown = {"time": time, "distinct_id": distinct_id, **told, "mp_processing_time_ms": received_ms}
        yield msgspec.json.encode({"event": event, "properties": shown}) + b"\n"


def _compressed(lines: Iterator[bytes]) -> Response:
    """A short answer is not compressed."""
    head = b""
    for line in lines:
        head += line
        if len(head) > COMPRESSED_FROM:
            return StreamingResponse(
                in_pieces(_gzip(head, lines)), media_type="text/plain", headers={"Content-Encoding": "gzip"}
            )
    return Response(head, media_type="text/plain")


def _gzip(head: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(head)
    for line in lines:
        if packed := packer.compress(line):
            yield packed
    yield packer.flush()


def _now_ms() -> int:
    return round(clock.now().timestamp() * 1000)
