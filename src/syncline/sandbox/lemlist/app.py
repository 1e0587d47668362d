"""`/api/activities`, `/api/campaigns`, leads and hooks, for one team with one key."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from syncline.kernel import clock
from syncline.sandbox.double import answer, choice, serving
from syncline.sandbox.lemlist.shapes import (
    KINDS,
    TEAM,
    TYPES,
    USER,
    activity,
    activity_id,
    campaign_body,
    lead_row,
    leads_csv,
    webhook,
)
from syncline.sandbox.outreach.double import OutreachDouble, milliseconds, moment
from syncline.sandbox.outreach.ids import word_id, word_number
from syncline.sandbox.outreach.store import Event, KeptLead, Store, Wanted
from syncline.sandbox.outreach.timelines import Kind
from syncline.sandbox.windows import FixedWindow

KEY = "lemlist-key-sandbox"
MOST_ACTIVITIES = 100
MOST_LEADS = 500
STEP_IDS_SINCE = 0.5
"""Which part of the activities carries `stepId`: it came late and was added to old ones bit by bit."""


@dataclass(slots=True)
class Switches:
    limits: bool = True
    requests_per_window: int = 20
    window_seconds: float = 2.0
    campaigns: str = choice("array", "campaigns", "data", "results")
    """Whether campaigns come as a bare array or inside an object, and under which name."""
    access_token: bool = True
    """Whether `?access_token=` is taken too, as version 1 documented it."""
    ties: str = choice("stable", "shuffled")
    """The order of activities of one millisecond; nothing is documented."""
    arrivals: int = 0
    """How many new activities come before each page of activities is read."""
    removals: int = 0
    """How many leads somebody removes before each page of activities is read."""
    removal: str = choice("takes", "keeps")
    """Whether the activities of a lead go with it when it is removed; nothing is documented."""
    webhook_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Hook:
    number: int
    target: str
    kind: str | None
    campaign: int | None
    is_first: bool
    created: str
    secret: str | None = field(default=None, repr=False)

    def shown(self) -> dict[str, Any]:
        """The secret is never given back."""
        told = {"_id": word_id("hoo", self.number), "targetUrl": self.target, "createdAt": self.created}
        return told if self.kind is None else {**told, "type": self.kind}


class Lemlist(OutreachDouble):
    name = "lemlist"

    def __init__(
        self, store: Store, switches: Switches | None = None, *, key: str = KEY, faults: str = "", seed: int = 1
    ) -> None:
        self.switches: Switches
        super().__init__(store, switches or Switches(), faults=faults, seed=seed)
        self.key = key
        self.hooks: dict[int, Hook] = {}
        self._window = FixedWindow(20, 2.0)
        self._pages = 0

    def routes(self) -> list[Route]:
        return [
            self.route("/api/activities", self._activities),
            self.route("/api/campaigns", self._campaigns),
            self.route("/api/campaigns/{campaign}/export/leads", self._export_leads),
            self.route("/api/campaigns/{campaign}/leads", self._leads),
            self.route("/api/campaigns/{campaign}/leads/", self._leads),
            self.route("/api/campaigns/{campaign}/leads/{lead}", self._remove_lead, ("DELETE",)),
            self.route("/api/team", self._team),
            self.route("/api/hooks", self._hooks),
            self.route("/api/hooks", self._add_hook, ("POST",)),
            self.route("/api/hooks/{hook}", self._remove_hook, ("DELETE",)),
        ]

    # Who asks, and how often. Every body of an error is plain text.

    def unauthorized(self, request: Request) -> Response | None:
        """Basic with an empty user and the key as password. A Bearer token is documented for another product only."""
        token = request.query_params.get("access_token") if self.switches.access_token else None
        given = _password(request.headers.get("authorization", "")) if token is None else token
        if given is None:
            return PlainTextResponse("No API key provided", 400)
        return None if given == self.key else self.wrong_key()

    def wrong_key(self) -> Response:
        return PlainTextResponse("The authentication you supplied is incorrect", 401)

    def limited(self, request: Request) -> float | None:  # noqa: ARG002 - all routes alike
        switches, window = self.switches, self._window
        window.limit, window.seconds = switches.requests_per_window, switches.window_seconds
        if not switches.limits or window.take():
            return None
        return window.wait

    def too_many(self, seconds: float) -> Response:
        return PlainTextResponse("Too many requests", 429, {"Retry-After": str(math.ceil(seconds))})

    def trouble(self) -> Response:
        return PlainTextResponse("Internal Server Error", 500)

    def dress(self, response: Response) -> None:
        """Every answer says where one stands; the date is for people to read."""
        window = self._window
        window.look()
        response.headers.setdefault("Retry-After", str(math.ceil(window.wait)))
        response.headers["X-RateLimit-Limit"] = str(window.limit)
        response.headers["X-RateLimit-Remaining"] = str(window.remaining)
        reset = datetime.fromtimestamp(window.resets_at, tz=clock.now().tzinfo)
        response.headers["X-RateLimit-Reset"] = reset.strftime(
            "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"
        )

    # Reading.

    async def _activities(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("version") != "v2":
            return PlainTextResponse("Bad params", 400)
        try:
            wanted, offset, limit = self._wanted(request), _whole(asked, "offset", 0), _whole(asked, "limit", 100)
        except ValueError:
            return PlainTextResponse("Bad params", 400)
        if wanted is None or limit == 0:
            return answer([])
        self.arrivals()
        self._pages += 1
        shuffle = self._pages if self.switches.ties == "shuffled" else None
        events = self.store.events(wanted, offset, min(limit, MOST_ACTIVITIES), shuffle=shuffle)
        leads = self.store.leads(event.lead for event in events)
        return answer([self._shown(event, leads[event.lead]) for event in events])

    def _wanted(self, request: Request) -> Wanted | None:
        """None when nothing can match. Raises `ValueError`. The bounds are inclusive, minDate wins over startDate."""
        asked = request.query_params
        kind, first = asked.get("type"), asked.get("isFirst")
        if kind is not None and kind not in KINDS:
            return None
        since, until = _date(asked, "minDate", "startDate"), _date(asked, "maxDate", "endDate")
        if since is not None and until is not None and until <= since:
            raise ValueError("maxDate must be after minDate")
        campaign = word_number("cam", asked["campaignId"]) if "campaignId" in asked else None
        lead = word_number("lea", asked["leadId"]) if "leadId" in asked else None
        if ("campaignId" in asked and campaign is None) or ("leadId" in asked and lead is None):
            return None
        return Wanted(
            kind=None if kind is None else KINDS[kind],
            campaign=campaign,
            lead=lead,
            is_first=None if first is None else first == "true",
            since_ms=since,
            until_ms=until,
        )

    def _shown(self, event: Event, lead: KeptLead) -> dict[str, Any]:
        campaign = None if event.campaign is None else self.store.campaigns[event.campaign]
        return activity(event, lead, campaign, has_step_id=event.id % 100 >= STEP_IDS_SINCE * 100)

    async def _campaigns(self, request: Request) -> Response:
        asked = request.query_params
        try:
            offset, limit = _whole(asked, "offset", 0), min(_whole(asked, "limit", 100), 100)
            offset += _whole(asked, "page", 1) * limit - limit
        except ValueError:
            return PlainTextResponse("Bad params", 400)
        shown = [campaign_body(one) for one in self.store.campaigns.values()]
        shown = [one for one in shown if asked.get("status") in {None, one["status"]}]
        if asked.get("sortBy") == "createdAt":
            shown.sort(key=lambda one: str(one["createdAt"]), reverse=asked.get("sortOrder") == "desc")
        page = shown[max(0, offset) : max(0, offset) + limit]
        return answer(page if self.switches.campaigns == "array" else {self.switches.campaigns: page})

    async def _leads(self, request: Request) -> Response:
        campaign = self._campaign(request)
        if campaign is None:
            return PlainTextResponse("Campaign not found", 404)
        limit = min(_whole(request.query_params, "limit", 100), MOST_LEADS)
        leads = self.store.leads_of(campaign, _whole(request.query_params, "offset", 0), limit)
        return answer([
            {
                "_id": word_id("lea", lead.id),
                "contactId": word_id("ctc", lead.id),
                "state": TYPES[lead.state] if lead.state else None,
            }
            for lead in leads
        ])  # fmt: skip

    async def _remove_lead(self, request: Request) -> Response:
        """`action=remove` takes a lead, by its id, out of the campaign; without it the lead, by its address,
        unsubscribes. The answer's shape is not documented."""
        campaign, told = self._campaign(request), request.path_params["lead"]
        if campaign is None:
            return PlainTextResponse("Campaign not found", 404)
        found = [one for one in self.store.leads_of(campaign) if told in {word_id("lea", one.id), one.email}]
        if not found:
            return PlainTextResponse("Lead not found", 404)
        lead = found[0]
        if request.query_params.get("action") == "remove":
            self.remove(lead.id)
        else:
            self.happen(Kind.UNSUBSCRIBED, mail=self.store.mails_of(lead.id)[-1].id)
        return answer({"_id": word_id("lea", lead.id), "email": lead.email, "campaignId": word_id("cam", campaign)})

    def remove(self, lead: int) -> None:
        self.store.remove_lead(lead, with_past=self.switches.removal == "takes")

    async def _export_leads(self, request: Request) -> Response:
        campaign = self._campaign(request)
        if campaign is None:
            return PlainTextResponse("Campaign not found", 404)
        leads = self.store.leads_of(campaign)
        if request.query_params.get("format") == "json":
            return answer([lead_row(lead) for lead in leads])
        return Response(leads_csv(leads), media_type="text/csv")

    async def _team(self, _: Request) -> Response:
        return answer({"_id": TEAM, "name": "Sandbox team", "userIds": [USER], "createdBy": USER})

    def _campaign(self, request: Request) -> int | None:
        number = word_number("cam", request.path_params["campaign"])
        return number if number in self.store.campaigns else None

    # Webhooks: one attempt each, for no retries are documented.

    async def _hooks(self, _: Request) -> Response:
        return answer([hook.shown() for hook in self.hooks.values()])

    async def _add_hook(self, request: Request) -> Response:
        try:
            sent = msgspec.json.decode(await request.body())
        except msgspec.DecodeError:
            sent = None
        if not isinstance(sent, dict) or not str(sent.get("targetUrl", "")).startswith(("http://", "https://")):
            return PlainTextResponse("Bad params", 400)
        campaign = word_number("cam", str(sent["campaignId"])) if sent.get("campaignId") else None
        number = max(self.hooks, default=0) + 1
        self.hooks[number] = Hook(
            number=number,
            target=sent["targetUrl"],
            kind=sent.get("type"),
            campaign=campaign,
            is_first=bool(sent.get("isFirst")),
            created=moment(round(clock.now().timestamp() * 1000)),
            secret=sent.get("secret"),
        )
        return answer(self.hooks[number].shown())

    async def _remove_hook(self, request: Request) -> Response:
        number = word_number("hoo", request.path_params["hook"])
        hook = self.hooks.pop(number or 0, None)
        return PlainTextResponse("Webhook not found", 404) if hook is None else answer(hook.shown())

    def is_final(self, status: int) -> bool:  # noqa: ARG002 - whatever it is
        return True

    def announce(self, event: Event) -> None:
        lead = self.store.lead(event.lead)
        for hook in self.hooks.values() if lead else ():
            fits = hook.kind in {None, TYPES[event.kind]} and hook.campaign in {None, event.campaign}
            if lead is None or not fits or (hook.is_first and not event.is_first):
                continue
            body = msgspec.json.encode(webhook(self._shown(event, lead), lead, event.step, hook.secret))
            self.deliverer.send(f"POST lemlist {TYPES[event.kind]}", hook.target, body, {})

    def event_name(self, event: Event) -> str:
        return TYPES[event.kind]

    def event_id(self, event: Event) -> str:
        return activity_id(event)


def create_app(double: Lemlist) -> Starlette:
    return serving(("", double))


def _password(authorization: str) -> str | None:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if colon and not user else ""


def _whole(asked: Any, name: str, default: int) -> int:
    """Raises `ValueError` for what is no whole number from 0 on."""
    value = int(asked.get(name, default))
    if value < 0:
        raise ValueError(f"{name} must not be negative")
    return value


def _date(asked: Any, name: str, other: str) -> int | None:
    text = asked.get(name) or asked.get(other)
    if text is None:
        return None
    value = milliseconds(text)
    if value is None:
        raise ValueError(f"{name} is no date")
    return value
