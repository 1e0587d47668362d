"""Smartlead's webhooks: for the user or for a campaign, signed over the body, sent again after 1, 5 and 30 minutes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.double import Handler, answer
from syncline.sandbox.outreach.store import Event, Store
from syncline.sandbox.outreach.timelines import Kind
from syncline.sandbox.smartlead import shapes
from syncline.sandbox.webhooks import Deliverer

LEVELS = {1: "user", 2: "client", 3: "campaign", "user": "user", "client": "client", "campaign": "campaign"}
"""An older text has numbers."""
TYPES = frozenset({*shapes.EVENTS.values(), "FIRST_EMAIL_SENT", "LEAD_CATEGORY_UPDATED", "CAMPAIGN_STATUS_CHANGED",
                   "UNTRACKED_REPLIES", "MANUAL_STEP_REACHED"})  # fmt: skip


@dataclass(slots=True)
class Hook:
    id: int
    url: str
    level: str
    campaign: int | None = None
    events: dict[str, bool] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "webhook_url": self.url,
            "association_type": self.level,
            "email_campaign_id": None if self.campaign is None else shapes.campaign_id(self.campaign),
            "event_type_map": self.events,
        }


class Account(Protocol):
    """What webhooks need of the account they belong to."""

    store: Store
    deliverer: Deliverer
    switches: Any
    secret: str

    def route(self, path: str, handler: Handler, methods: Sequence[str] = ("GET",)) -> Route: ...
    def campaign(self, request: Request) -> int | None: ...
    def not_found(self, what: str = "campaign") -> Response: ...


class Hooks:
    def __init__(self, double: Account) -> None:
        self.double = double
        self.kept: dict[int, Hook] = {}

    def routes(self, root: str) -> list[Route]:
        route, campaign = self.double.route, f"{root}/campaigns/{{campaign:int}}/webhooks"
        return [
            route(f"{root}/webhook/create", self._create, ("POST",)),
            route(f"{root}/webhook/{{hook:int}}", self._show),
            route(f"{root}/webhook/update/{{hook:int}}", self._update, ("PUT",)),
            route(f"{root}/webhook/delete/{{hook:int}}", self._delete, ("DELETE",)),
            route(campaign, self._of_campaign),
            route(campaign, self._create_for_campaign, ("POST",)),
        ]

    async def _create(self, request: Request) -> Response:
        return self._add(await _sent(request))

    async def _create_for_campaign(self, request: Request) -> Response:
        number = self.double.campaign(request)
        if number is None:
            return self.double.not_found()
        sent = await _sent(request)
        told = dict.fromkeys(sent.get("event_types", ()), True) or sent.get("event_type_map")
        return self._add({**sent, "association_type": "campaign", "event_type_map": told,
                          "email_campaign_id": shapes.campaign_id(number)})  # fmt: skip

    def _add(self, sent: dict[str, Any]) -> Response:
        hook = self._read(sent, max(self.kept, default=0) + 1)
        if hook is None:
            return answer({"error": "Invalid parameters provided"}, 422)
        self.kept[hook.id] = hook
        return answer({"ok": True, "data": hook.shown()})

    async def _show(self, request: Request) -> Response:
        hook = self.kept.get(request.path_params["hook"])
        return self.double.not_found("webhook") if hook is None else answer(hook.shown())

    async def _update(self, request: Request) -> Response:
        hook = self.kept.get(request.path_params["hook"])
        if hook is None:
            return self.double.not_found("webhook")
        changed = self._read({**hook.shown(), **await _sent(request)}, hook.id)
        if changed is None:
            return answer({"error": "Invalid parameters provided"}, 422)
        self.kept[hook.id] = changed
        return answer({"ok": True, "data": changed.shown()})

    async def _delete(self, request: Request) -> Response:
        hook = self.kept.pop(request.path_params["hook"], None)
        return self.double.not_found("webhook") if hook is None else answer({"ok": True})

    async def _of_campaign(self, request: Request) -> Response:
        number = self.double.campaign(request)
        if number is None:
            return self.double.not_found()
        return answer([hook.shown() for hook in self.kept.values() if hook.campaign == number])

    def _read(self, sent: dict[str, Any], number: int) -> Hook | None:
        """None for what is no webhook."""
        url, level, told = sent.get("webhook_url"), sent.get("association_type"), sent.get("event_type_map")
        campaign = shapes.campaign_number(str(sent.get("email_campaign_id")))
        fits = isinstance(url, str) and url.startswith(("http://", "https://")) and isinstance(told, dict)
        if not fits or not isinstance(level, (str, int)) or level not in LEVELS or not set(told or {}) <= TYPES:
            return None
        if LEVELS[level] == "campaign" and campaign not in self.double.store.campaigns:
            return None
        return Hook(number, str(url), LEVELS[level], campaign, {name: bool(on) for name, on in (told or {}).items()})

    def announce(self, event: Event) -> None:
        """The user's webhooks win over the campaign's. Only the first open of a mail is told."""
        lead = self.double.store.lead(event.lead)
        silent = event.kind is Kind.OPENED and not event.is_first
        if lead is None or event.campaign is None or silent or event.kind not in shapes.EVENTS:
            return
        name = shapes.EVENTS[event.kind]
        body = msgspec.json.encode(shapes.webhook(event, lead, self.double.store.campaigns[event.campaign]))
        listening = [hook for hook in self.kept.values() if hook.events.get(name)]
        users = [hook for hook in listening if hook.level == "user"]
        for hook in users or [hook for hook in listening if hook.campaign == event.campaign]:
            headers = {"X-Request-Id": str(uuid4()), "X-Webhook-Level": hook.level}
            if self.double.switches.signed:
                headers["X-Smartlead-Signature"] = signature(self.double.secret, body)
            self.double.deliverer.send(f"POST smartlead {name}", hook.url, body, headers)


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def _sent(request: Request) -> dict[str, Any]:
    try:
        sent = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        return {}
    return sent if isinstance(sent, dict) else {}
