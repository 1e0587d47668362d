"""`/v2/self`, `/v2/objects/...` of one workspace: assert, create, update, read, list and delete records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.kernel import clock
from syncline.sandbox.attio.records import Record, Records, Values
from syncline.sandbox.attio.values import OBJECTS, TYPES, Attribute, NotAValue, joined, key, written
from syncline.sandbox.double import Double, answer, serving
from syncline.sandbox.windows import FixedWindow

TOKEN = "attio-token-sandbox"  # noqa: S105 - the double's own, worth nothing elsewhere
WORKSPACE = "14beef7a-99f7-4534-a87e-70b564330a4c"
MEMBER = "50cf242c-7fa3-4cad-87d0-75b1af71c57b"
OBJECT_IDS = {"people": "97052eb9-e65e-443f-a297-f2d9a4a7f795", "companies": "97052eb9-e65e-443f-a297-f2d9a4a7f796"}
MOST_RECORDS = 500
SCOPES = "record_permission:read-write object_configuration:read"


@dataclass(slots=True)
class Switches:
    limits: bool = True
    reads_per_second: int = 100
    writes_per_second: int = 25


class Refused(Exception):
    """An answer that is an error, in Attio's one shape."""

    def __init__(self, status: int, code: str, message: str, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.answer = answer({"status_code": status, "type": kind, "code": code, "message": message}, status)


class Attio(Double):
    name = "attio"

    def __init__(
        self,
        switches: Switches | None = None,
        *,
        token: str = TOKEN,
        path: Path | None = None,
        faults: str = "",
        seed: int = 1,
    ) -> None:
        self.switches: Switches
        super().__init__(switches or Switches(), faults=faults, seed=seed)
        self.token = token
        self.records = Records(path)
        self.attributes: dict[str, dict[str, Attribute]] = {name: dict(known) for name, known in OBJECTS.items()}
        self._windows = {"read": FixedWindow(100, 1.0), "write": FixedWindow(25, 1.0)}

    def routes(self) -> list[Route]:
        records = "/v2/objects/{object}/records"
        one = records + "/{record}"
        return [
            self.route("/v2/self", self._self),
            self.route("/v2/objects/{object}/attributes", self._refusing(self._attributes)),
            self.route("/v2/objects/{object}/attributes", self._refusing(self._add_attribute), ("POST",)),
            self.route(f"{records}/query", self._refusing(self._query), ("POST",)),
            self.route(records, self._refusing(self._assert), ("PUT",)),
            self.route(records, self._refusing(self._create), ("POST",)),
            self.route(one, self._refusing(self._get)),
            self.route(one, self._refusing(self._update), ("PATCH", "PUT")),
            self.route(one, self._refusing(self._delete), ("DELETE",)),
        ]

    def control(self) -> list[Route]:
        return [Route("/sandbox/counts", self._counts)]

    def _refusing(self, handler: Any) -> Any:
        async def handle(request: Request) -> Response:
            try:
                return answer({"data": await handler(request)})
            except Refused as refused:
                return refused.answer

        return handle

    # Who asks, and how often.

    def unauthorized(self, request: Request) -> Response | None:
        return None if request.headers.get("authorization") == f"Bearer {self.token}" else self.wrong_key()

    def wrong_key(self) -> Response:
        return Refused(401, "unauthorized", "Invalid access token", "auth_error").answer

    def limited(self, request: Request) -> float | None:
        switches = self.switches
        is_read = request.method == "GET" or request.url.path.endswith("/query")
        window = self._windows["read" if is_read else "write"]
        window.limit = switches.reads_per_second if is_read else switches.writes_per_second
        return None if not switches.limits or window.take() else window.wait

    def too_many(self, seconds: float) -> Response:
        """When to come back is a date, mostly the next second of the clock."""
        refused = Refused(
            429, "rate_limit_exceeded", "Rate limit exceeded, please try again later", "rate_limit_error"
        ).answer
        at = math.ceil(clock.now().timestamp() + seconds)
        refused.headers["Retry-After"] = format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)
        return refused

    def trouble(self) -> Response:
        return Refused(500, "internal_error", "An unexpected error occurred", "api_error").answer

    # Records.

    async def _self(self, _: Request) -> Response:
        return answer({
            "active": True, "scope": SCOPES, "client_id": MEMBER, "token_type": "Bearer", "exp": None,
            "iat": 1_700_000_000,
            "sub": WORKSPACE, "aud": MEMBER, "iss": "attio.com", "authorized_by_workspace_member_id": MEMBER,
            "workspace_id": WORKSPACE, "workspace_name": "Sandbox", "workspace_slug": "sandbox",
            "workspace_logo_url": None,
        })  # fmt: skip

    async def _assert(self, request: Request) -> dict[str, Any]:
        """Makes the record or changes the one that matches. Of a multiselect matching attribute new values are added;
        those of any other multiselect attribute are replaced."""
        object_, known = self._object(request)
        slug = request.query_params.get("matching_attribute", "")
        attribute = known.get(slug)
        if attribute is None or not attribute.is_unique:
            raise Refused(400, "value_not_found", f'No attribute was found for matching_attribute slug/ID "{slug}".')
        values = await self._sent(request, known)
        if not values.get(slug):
            raise Refused(400, "missing_value", f'Required value for attribute with slug "{slug}" was not provided.')
        found = self.records.having(object_, slug, [key(attribute, value) for value in values[slug]])
        if len(found) > 1:
            raise Refused(400, "multiple_match_results", "More than one record matches.")
        record = self.records.get(object_, found[0]) if found else None
        if record is None:
            return self._show(self._make(object_, known, values))
        values = {**record.values, **values, slug: joined(record.values.get(slug, []), values[slug])}
        return self._show(self._change(record, known, values))

    async def _create(self, request: Request) -> dict[str, Any]:
        object_, known = self._object(request)
        return self._show(self._make(object_, known, await self._sent(request, known)))

    async def _update(self, request: Request) -> dict[str, Any]:
        """PATCH adds to multiselect attributes, PUT replaces them."""
        record, known = self._record(request), self._object(request)[1]
        values = await self._sent(request, known)
        if request.method == "PATCH":
            values |= {
                slug: joined(given, record.values.get(slug, []))
                for slug, given in values.items()
                if known[slug].is_multiselect
            }
        return self._show(self._change(record, known, {**record.values, **values}))

    async def _get(self, request: Request) -> dict[str, Any]:
        return self._show(self._record(request))

    async def _delete(self, request: Request) -> dict[str, Any]:
        self.records.delete(self._record(request))
        return {}

    async def _query(self, request: Request) -> list[dict[str, Any]]:
        """Filters by equality of a unique attribute are served; others are refused, never ignored."""
        object_, known = self._object(request)
        sent = await _body(request)
        offset, limit = int(sent.get("offset") or 0), min(int(sent.get("limit") or MOST_RECORDS), MOST_RECORDS)
        wanted = sent.get("filter") or {}
        if any(
            (one.get("attribute"), one.get("direction")) != ("created_at", "asc") for one in sent.get("sorts") or ()
        ):
            raise Refused(400, "filter_error", "Only created_at, ascending, is served as a sort by the sandbox.")
        if not wanted:
            return [self._show(record) for record in self.records.list(object_, offset=offset, limit=limit)]
        found: set[str] | None = None
        for slug, test in wanted.items():
            ids = set(self._having(object_, known.get(slug), test))
            found = ids if found is None else found & ids
        records = [self.records.get(object_, one) for one in sorted(found or ())]
        return [self._show(record) for record in records if record is not None][offset : offset + limit]

    def _having(self, object_: str, attribute: Attribute | None, test: Any) -> list[str]:
        if isinstance(test, dict):
            inner = next(iter(test.values()), None) if len(test) == 1 else None
            test = inner.get("$eq") if isinstance(inner, dict) else test.get("$eq", inner)
        if attribute is None or not attribute.is_unique or not isinstance(test, str):
            raise Refused(400, "filter_error", "Error in filter.")
        return self.records.having(object_, attribute.slug, [test.strip().lower()])

    # Attributes.

    async def _attributes(self, request: Request) -> list[dict[str, Any]]:
        return [_attribute(one) for one in self._object(request)[1].values()]

    async def _add_attribute(self, request: Request) -> dict[str, Any]:
        _, known = self._object(request)
        sent = (await _body(request)).get("data") or {}
        slug, kind = sent.get("api_slug"), sent.get("type")
        if not isinstance(slug, str) or not slug or kind not in TYPES:
            raise Refused(400, "validation_type", f"Give api_slug and a type of {', '.join(TYPES)}.")
        if slug in known:
            raise Refused(409, "slug_conflict", f'An attribute with slug "{slug}" exists already.')
        known[slug] = Attribute(slug, kind, bool(sent.get("is_unique")), bool(sent.get("is_multiselect")))
        return _attribute(known[slug])

    async def _counts(self, _: Request) -> Response:
        """GET: how many records each object has."""
        return answer({name: self.records.count(name) for name in self.attributes})

    # The same for several.

    def _object(self, request: Request) -> tuple[str, dict[str, Attribute]]:
        told = request.path_params["object"]
        name = next((name for name, identity in OBJECT_IDS.items() if told in {name, identity}), None)
        if name is None:
            raise Refused(404, "not_found", f'Object with slug/ID "{told}" not found.')
        return name, self.attributes[name]

    def _record(self, request: Request) -> Record:
        identity = request.path_params["record"]
        record = self.records.get(self._object(request)[0], identity)
        if record is None:
            raise Refused(404, "not_found", f'Record with ID "{identity}" not found.')
        return record

    async def _sent(self, request: Request, known: Mapping[str, Attribute]) -> Values:
        data = (await _body(request)).get("data")
        sent = data.get("values") if isinstance(data, dict) else None
        if not isinstance(sent, dict):
            raise Refused(400, "validation_type", "Body payload validation error: data.values is required.")
        unknown = [slug for slug in sent if slug not in known]
        if unknown:
            raise Refused(400, "value_not_found", f'Cannot find attribute with slug/ID "{unknown[0]}".')
        try:
            return {slug: written(known[slug], value) for slug, value in sent.items()}
        except NotAValue as error:
            raise Refused(400, "validation_type", str(error)) from error

    def _make(self, object_: str, known: Mapping[str, Attribute], values: Values) -> Record:
        self._ensure_free(object_, known, values, None)
        return self.records.create(object_, values, _unique(known, values), f"{clock.now():%Y-%m-%dT%H:%M:%S.%f}000Z")

    def _change(self, record: Record, known: Mapping[str, Attribute], values: Values) -> Record:
        self._ensure_free(record.object, known, values, record.id)
        return self.records.update(record, values, _unique(known, values))

    def _ensure_free(self, object_: str, known: Mapping[str, Attribute], values: Values, own: str | None) -> None:
        for slug, value in _unique(known, values):
            if set(self.records.having(object_, slug, [value])) - {own}:
                sentence = (
                    f'The value "{value}" provided for attribute with slug "{slug}" conflicts with another record.'
                )
                raise Refused(400, "uniqueness_conflict", sentence)

    def _show(self, record: Record) -> dict[str, Any]:
        token = {"type": "api-token", "id": MEMBER}
        stamp = {"active_from": record.created, "active_until": None, "created_by_actor": token}
        return {
            "id": {"workspace_id": WORKSPACE, "object_id": OBJECT_IDS[record.object], "record_id": record.id},
            "created_at": record.created,
            "web_url": f"https://app.attio.com/sandbox/{record.object}/{record.id}",
            "values": {
                slug: [{**stamp, **value} for value in record.values.get(slug, [])]
                for slug in self.attributes[record.object]
            },
        }


def create_app(double: Attio) -> Starlette:
    return serving(("", double))


def _unique(known: Mapping[str, Attribute], values: Values) -> list[tuple[str, str]]:
    return [
        (slug, key(known[slug], value))
        for slug, several in values.items()
        if known[slug].is_unique
        for value in several
    ]


def _attribute(attribute: Attribute) -> dict[str, Any]:
    return {
        "api_slug": attribute.slug,
        "title": attribute.slug.replace("_", " ").capitalize(),
        "type": attribute.type,
        "is_unique": attribute.is_unique,
        "is_multiselect": attribute.is_multiselect,
        "is_writable": True,
    }


async def _body(request: Request) -> dict[str, Any]:
    try:
        sent = msgspec.json.decode(await request.body() or b"{}")
    except msgspec.DecodeError:
        sent = None
    if not isinstance(sent, dict):
        raise Refused(400, "validation_type", "Body payload validation error.")
    return sent
