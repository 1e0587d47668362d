"""`/api/v1/...` for one account with one key: campaigns, statistics, leads, activities; webhooks in `hooks.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.double import answer, choice, serving
from syncline.sandbox.outreach.double import OutreachDouble, milliseconds, moment
from syncline.sandbox.outreach.store import Event, Mail, Store, Wanted
from syncline.sandbox.outreach.timelines import Kind
from syncline.sandbox.smartlead import shapes
from syncline.sandbox.smartlead.hooks import Hooks
from syncline.sandbox.windows import FixedWindow

KEY = "smartlead-key-sandbox"
SECRET = "smartlead-webhook-secret-sandbox"  # noqa: S105 - the double's own, worth nothing elsewhere
ROOT = "/api/v1"
MOST_ROWS = 1_000
MOST_LEADS = 100
PLANS: dict[str, tuple[tuple[int, float], ...]] = {
    "standard": ((10, 1.0), (60, 60.0), (1_000, 3_600.0)),
    "pro": ((20, 1.0), (120, 60.0), (3_000, 3_600.0)),
    "old": ((10, 2.0),),
    "none": (),
}
"""Requests in seconds. The guide tells of the first two, an older page of the third, the questions page of none."""
STATUSES = {
    "opened": "opens > 0",
    "clicked": "clicks > 0",
    "replied": "reply_ms is not null",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
}


@dataclass(slots=True)
class Switches:
    plan: str = choice("standard", "pro", "old", "none")
    retry_after: bool = True
    """Whether a 429 has the header; it may be missing."""
    errors: str = choice("message", "envelope")
    """What a 401 looks like: `{"message"}` or `{"success", "error": {"code", "message"}}`."""
    unknown: str = choice("404", "object", "empty")
    """What an unknown campaign or lead is answered with: 404, or 200 with `{}` or with nothing."""
    statistics: str = choice("rows", "aggregate", "sequences")
    """Rows is what is seen of the live service; the others are the two examples of the documents."""
    activities: str = choice("nested", "flat")
    leads: str = choice("total_leads", "total")
    """The wrapper of leads: `{"total_leads", "data"}` or `{"total", "leads"}`."""
    history: str = choice("history", "messages")
    numbers: str = choice("strings", "numbers")
    """How totals come."""
    order: str = choice("newest", "oldest", "updated")
    """Of statistics rows; not documented. By the last update, an open moves a mail to the front."""
    edges: str = choice("exclusive", "inclusive")
    """Whether a mail sent at the very bound of the filter is in; the words are "greater than" and "less than"."""
    times: str = choice("first", "last")
    """Which open and click a row tells the time of."""
    analytics: str = choice("disagree", "agree", "stuck")
    """Whether the counters of a campaign count what its statistics show (they do not, where they were looked at), or
    say what they said when they were asked first."""
    body_bytes: int = 10_000
    """Of the rendered mail in each statistics row."""
    arrivals: int = 0
    """How many new events come before each page of statistics is read."""
    removals: int = 0
    """How many leads are removed, with their mails, before each page of statistics is read."""
    signed: bool = True
    """Whether webhooks carry a signature."""
    webhook_scale: float = 1.0
    """Shortens the waits of 1, 5 and 30 minutes before a webhook is sent again."""


class Smartlead(OutreachDouble):
    name = "smartlead"
    retries = (60.0, 300.0, 1_800.0)

    def __init__(
        self, store: Store, switches: Switches | None = None, *, key: str = KEY, faults: str = "", seed: int = 1
    ) -> None:
        self.switches: Switches
        super().__init__(store, switches or Switches(), faults=faults, seed=seed)
        self.key = key
        self.secret = SECRET
        self.hooks = Hooks(self)
        self._stuck: dict[int, dict[str, Any]] = {}
        self._windows = {plan: [FixedWindow(*one) for one in limits] for plan, limits in PLANS.items()}

    def routes(self) -> list[Route]:
        campaign = f"{ROOT}/campaigns/{{campaign:int}}"
        return [
            self.route(f"{ROOT}/campaigns", self._campaigns),
            self.route(f"{ROOT}/campaigns/", self._campaigns),
            self.route(f"{ROOT}/campaigns/all-leads-activities", self._activities),
            self.route(campaign, self._campaign),
            self.route(f"{campaign}/statistics", self._statistics),
            self.route(f"{campaign}/analytics", self._analytics),
            self.route(f"{campaign}/leads", self._leads),
            self.route(f"{campaign}/leads/{{lead:int}}/message-history", self._history),
            self.route(f"{campaign}/leads-export", self._leads_export),
            *self.hooks.routes(ROOT),
        ]

    # Who asks, and how often.

    def unauthorized(self, request: Request) -> Response | None:
        return None if request.query_params.get("api_key") == self.key else self.wrong_key()

    def wrong_key(self) -> Response:
        if self.switches.errors == "message":
            return answer({"message": "Invalid API Key"}, 401)
        return answer({"success": False, "error": {"code": "UNAUTHORIZED", "message": "Invalid API Key"}}, 401)

    def limited(self, request: Request) -> float | None:  # noqa: ARG002 - all endpoints alike
        windows = self._windows[self.switches.plan]
        full = [window for window in windows if not window.look()]
        if full:
            return max(window.wait for window in full)
        for window in windows:
            window.take()
        return None

    def too_many(self, seconds: float) -> Response:
        wait = math.ceil(seconds)
        sentence = f"Too many requests. Please retry after {wait} seconds."
        headers = {"Retry-After": str(wait)} if self.switches.retry_after else {}
        error = {"code": "RATE_LIMIT_EXCEEDED", "message": sentence, "retry_after": wait}
        return answer({"error": error}, 429, headers)

    def trouble(self) -> Response:
        return answer({"error": {"code": "INTERNAL_ERROR", "message": "Something went wrong", "details": {}}}, 500)

    def dress(self, response: Response) -> None:
        windows = self._windows[self.switches.plan]
        if not windows:
            return
        tightest = min(windows, key=lambda window: window.remaining)
        response.headers["X-RateLimit-Limit"] = str(tightest.limit)
        response.headers["X-RateLimit-Remaining"] = str(tightest.remaining)
        response.headers["X-RateLimit-Reset"] = str(math.ceil(tightest.resets_at))

    # Reading.

    async def _campaigns(self, _: Request) -> Response:
        """All of them in a bare array, newest id first."""
        return answer([shapes.campaign_body(one) for one in reversed(self.store.campaigns.values())])

    async def _campaign(self, request: Request) -> Response:
        number = self.campaign(request)
        if number is None:
            return self.not_found()
        return answer(shapes.campaign_body(self.store.campaigns[number]))

    async def _statistics(self, request: Request) -> Response:
        number, asked = self.campaign(request), request.query_params
        if number is None:
            return self.not_found()
        try:
            tests, (offset, limit) = self._tests(request), paging(request, MOST_ROWS)
        except ValueError:
            return answer({"error": "Invalid parameters provided"}, 422)
        self.arrivals()
        if self.switches.statistics != "rows":
            return self._totals(number, tests)
        newest, updated = self.switches.order != "oldest", self.switches.order == "updated"
        mails = self.store.mails(number, tests, offset=offset, limit=limit, newest_first=newest, by_update=updated)
        leads = self.store.leads(mail.lead for mail in mails)
        last, size = self.switches.times == "last", self.switches.body_bytes
        rows = [shapes.statistics_row(mail, leads[mail.lead], shows_last=last, body_bytes=size) for mail in mails]
        total = self.number(self.store.count_mails(number, tests))
        return answer({"total_stats": total, "data": rows, "offset": offset, "limit": int(asked.get("limit", 100))})

    def _tests(self, request: Request) -> list[tuple[str, Any]]:
        """The date filters look at the time of sending only. Raises `ValueError`."""
        asked, tests = request.query_params, list[tuple[str, Any]]()
        for name, sign in (("sent_time_start_date", ">"), ("sent_time_end_date", "<")):
            if name in asked:
                bound = milliseconds(asked[name])
                if bound is None:
                    raise ValueError(f"{name} is no date")
                tests.append((f"sent_ms {sign}{'=' if self.switches.edges == 'inclusive' else ''} ?", bound))
        if "email_sequence_number" in asked:
            steps = [int(one) - 1 for one in asked["email_sequence_number"].split(",")]
            tests.append((f"step in ({', '.join(map(str, steps))})", None))
        if "email_status" in asked:
            if asked["email_status"] not in STATUSES:
                raise ValueError("there is no such status")
            tests.append((STATUSES[asked["email_status"]], None))
        return tests

    def _totals(self, campaign: int, tests: list[tuple[str, Any]]) -> Response:
        """The two shapes of the documents that tell no single mail."""
        mails = self.store.mails(campaign, tests)
        if self.switches.statistics == "aggregate":
            return answer({"campaign_id": shapes.campaign_id(campaign), **self._sums(mails)})
        steps = sorted({mail.step for mail in mails})
        data = [
            {"sequence_number": step + 1, **self._sums([mail for mail in mails if mail.step == step])} for step in steps
        ]
        return answer({"ok": True, "data": data, "offset": 0, "limit": 100})

    def _sums(self, mails: list[Mail]) -> dict[str, Any]:
        return {
            "sent": self.number(len(mails)),
            "opened": self.number(sum(mail.opens > 0 for mail in mails)),
            "clicked": self.number(sum(mail.clicks > 0 for mail in mails)),
            "replied": self.number(sum(mail.reply_ms is not None for mail in mails)),
            "bounced": self.number(sum(mail.bounced for mail in mails)),
            "unsubscribed": self.number(sum(mail.unsubscribed for mail in mails)),
        }

    async def _analytics(self, request: Request) -> Response:
        number = self.campaign(request)
        if number is None:
            return self.not_found()
        agrees = self.switches.analytics == "agree"
        counted = shapes.analytics(self.store, self.store.campaigns[number], agrees=agrees)
        if self.switches.analytics == "stuck":
            counted = self._stuck.setdefault(number, counted)
        return answer(
            {name: self.number(value) if name.endswith("_count") else value for name, value in counted.items()}
        )

    async def _activities(self, request: Request) -> Response:
        """By the time of the event, over all campaigns."""
        asked = request.query_params
        since, until = (
            milliseconds(asked.get("event_time_from", "1970-01-02")),
            milliseconds(asked.get("event_time_to", "2200-01-01"), is_end=True),
        )
        if since is None or until is None:
            which = "event_time_from" if since is None else "event_time_to"
            error = f"Invalid {which} format. Use YYYY-MM-DD or ISO 8601 format."
            return answer({"error": error, "status": "error"}, 400)
        try:
            offset, limit = paging(request, MOST_ROWS)
        except ValueError:
            return answer({"error": "Invalid parameters provided"}, 422)
        if self.switches.activities == "flat":
            return self._flat(since, until, offset, limit)
        numbers = self.store.leads_active(since, until, offset, limit + 1)
        leads = self.store.leads(numbers[:limit])
        data = [
            shapes.nested_activity(self.store, leads[number], self.store.mails_of(number)) for number in numbers[:limit]
        ]
        return answer({"data": data, "hasMore": len(numbers) > limit})

    def _flat(self, since_ms: int, until_ms: int, offset: int, limit: int) -> Response:
        events = self.store.events(Wanted(since_ms=since_ms, until_ms=until_ms), offset, limit)
        leads = self.store.leads(event.lead for event in events)
        data = [
            {
                "lead_email": leads[event.lead].email,
                "campaign_id": shapes.campaign_id(event.campaign or 0),
                "activity_type": shapes.ACTIVITIES[event.kind],
                "event_time": moment(event.at_ms),
            }
            for event in events
        ]
        total = len(self.store.events(Wanted(since_ms=since_ms, until_ms=until_ms)))
        return answer({"total": self.number(total), "data": data})

    async def _leads(self, request: Request) -> Response:
        number = self.campaign(request)
        if number is None:
            return self.not_found()
        try:
            offset, limit = paging(request, MOST_LEADS)
        except ValueError:
            return answer({"error": "Invalid parameters provided"}, 422)
        data = [shapes.lead_body(lead) for lead in self.store.leads_of(number, offset, limit)]
        total = self.number(self.store.count_leads(number))
        if self.switches.leads == "total":
            return answer({"total": total, "leads": data})
        return answer({"total_leads": total, "offset": offset, "limit": limit, "data": data})

    async def _history(self, request: Request) -> Response:
        number = self.campaign(request)
        lead = self.store.lead(request.path_params["lead"] - shapes.FIRST_LEAD)
        if number is None or lead is None or lead.campaign != number:
            return self.not_found("lead")
        return answer({self.switches.history: shapes.history(lead, self.store.mails_of(lead.id))})

    async def _leads_export(self, request: Request) -> Response:
        number = self.campaign(request)
        if number is None:
            return self.not_found()
        leads = self.store.leads_of(number)
        mails = {lead.id: self.store.mails_of(lead.id) for lead in leads}
        return Response(shapes.leads_csv(leads, mails), media_type="text/csv")

    def campaign(self, request: Request) -> int | None:
        number = shapes.campaign_number(str(request.path_params["campaign"]))
        return number if number in self.store.campaigns else None

    def not_found(self, what: str = "campaign") -> Response:
        match self.switches.unknown:
            case "object":
                return answer({})
            case "empty":
                return Response(b"", media_type="application/json")
            case _:
                return answer({"error": f"{what.title()} not found - Invalid {what}_id."}, 404)

    def number(self, value: int) -> str | int:
        return str(value) if self.switches.numbers == "strings" else value

    # Webhooks: what is not 5xx is final; no answer counts as 5xx.

    def is_final(self, status: int) -> bool:
        return 0 < status < 500

    def announce(self, event: Event) -> None:
        self.hooks.announce(event)

    def event_name(self, event: Event) -> str:
        return shapes.EVENTS.get(event.kind, Kind(event.kind).name)

    def event_id(self, event: Event) -> str:
        """A mail's id with the kind: what can be told apart by somebody who sees rows only, but for repeated opens."""
        return f"{shapes.stats_id(event.mail or 0)}:{self.event_name(event)}"


def create_app(double: Smartlead) -> Starlette:
    return serving(("", double))


def paging(request: Request, most: int) -> tuple[int, int]:
    """Offset and limit; more than the most is cut. Raises `ValueError`."""
    offset, limit = int(request.query_params.get("offset", 0)), int(request.query_params.get("limit", 100))
    if offset < 0 or limit < 1:
        raise ValueError("offset and limit must not be negative")
    return offset, min(limit, most)
