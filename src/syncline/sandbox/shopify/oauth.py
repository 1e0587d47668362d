"""OAuth as a shop speaks it: the consent page, the token endpoint with its four grants, and what tests do to tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from syncline.kernel import clock
from syncline.sandbox.server import drop
from syncline.sandbox.shopify import session_tokens
from syncline.sandbox.shopify.answers import answer
from syncline.sandbox.shopify.authority import ONLINE_LASTS, GrantRefused
from syncline.sandbox.shopify.options import LOOPBACK, SandboxOptions
from syncline.sandbox.shopify.webhooks import shop
from syncline.sandbox.shopify.world import World

AUTHORIZE = "/admin/oauth/authorize"
ACCESS_TOKEN = "/admin/oauth/access_token"  # noqa: S105 - a path
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name of RFC 8693
_ASKED_FOR = "urn:shopify:params:oauth:token-type:"
_USER = {
    "id": 42,
    "first_name": "Sam",
    "last_name": "Sandbox",
    "email": "sam@sandbox.example",
    "account_owner": True,
    "locale": "en",
    "collaborator": False,
    "email_verified": True,
}
_PAGE = """<!DOCTYPE html><html lang="en"><head><title>Install app</title></head><body>
<h1>{app} would like access to {shop}</h1><ul>{scopes}</ul>
<form method="post"><button>Install</button></form><p><a href="/">Cancel</a></p></body></html>"""

FailEarly = Callable[[Request, str | None, str], Awaitable[Response | None]]


def oauth_routes(world: World, fail_early: FailEarly) -> list[Route]:
    """`fail_early` makes the faults that strike before anything is read."""
    server = OAuthServer(world, fail_early)
    return [
        Route(AUTHORIZE, server.authorize, methods=["GET", "POST"]),
        Route(ACCESS_TOKEN, server.access_token, methods=["POST"]),
        Route("/sandbox/oauth", server.show),
        Route("/sandbox/oauth/session-token", server.session_token, methods=["POST"]),
        Route("/sandbox/oauth/scopes", server.take_scopes, methods=["POST"]),
        Route("/sandbox/oauth/apps", server.put_app, methods=["POST"]),
        Route("/sandbox/oauth/expire", server.expire, methods=["POST"]),
        Route("/sandbox/uninstall", server.uninstall, methods=["POST"]),
    ]


class OAuthServer:
    def __init__(self, world: World, fail_early: FailEarly) -> None:
        self.world = world
        self.fail_early = fail_early

    @property
    def options(self) -> SandboxOptions:
        return self.world.options

    @property
    def shop_domain(self) -> str:
        return self.world.store.shop.domain

    def _secrets_of(self, client_id: str) -> list[str]:
        """The oldest first; empty for an app that nobody made. Webhooks are signed with the same."""
        if client_id == self.options.client_id:
            return self.world.webhooks.settings.secrets
        return self.world.authority.others.get(client_id, [])

    # What Shopify has.

    async def authorize(self, request: Request) -> Response:
        """The consent page; without `consent` it is as if somebody had pressed Install at once."""
        asked = request.query_params
        client_id, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
        if not self._secrets_of(client_id):
            return _wrong_page("application_cannot_be_found", "The application cannot be found")
        if not self._may_redirect(redirect_uri):
            return _wrong_page("invalid_request", "The redirect_uri is not whitelisted")
        scopes = _scopes(asked.get("scope", "")) or self.options.scopes
        if self.options.consent and request.method == "GET":
            shown = "".join(f"<li>{html.escape(one)}</li>" for one in sorted(scopes))
            return HTMLResponse(_PAGE.format(app=html.escape(client_id), shop=self.shop_domain, scopes=shown))
        is_online = "per-user" in asked.getlist("grant_options[]")
        code = self.world.authority.new_code(client_id, scopes, is_online=is_online)
        host = f"admin.shopify.com/store/{self.shop_domain.removesuffix('.myshopify.com')}"
        given = {
            "code": code,
            "host": base64.b64encode(host.encode()).decode().rstrip("="),
            "shop": self.shop_domain,
            "state": asked.get("state", ""),
            "timestamp": str(int(clock.now().timestamp())),
        }
        given["hmac"] = self._hmac(client_id, given)
        joined = "&" if urlsplit(redirect_uri).query else "?"
        return RedirectResponse(f"{redirect_uri}{joined}{urlencode(given)}", status_code=302)

    async def access_token(self, request: Request) -> Response:
        raw = await request.body()
        early = await self.fail_early(request, "access_token", raw.decode(errors="replace"))
        if early is not None:
            return early
        sent = _sent(raw)
        kind = str(sent.get("grant_type") or "authorization_code")
        try:
            body = self._grant(kind, sent)
        except GrantRefused as refused:
            self.world.authority.refused[kind.rpartition(":")[2]] += 1
            return answer({"error": refused.error, "error_description": refused.description}, refused.status)
        self.world.authority.granted[kind.rpartition(":")[2]] += 1
        if self.world.faults.take("drop_after", "access_token", kind):
            return await drop(request)
        return answer(body)

    def _grant(self, kind: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        client_id = str(sent.get("client_id", ""))
        known = self._secrets_of(client_id)
        if not known:
            raise GrantRefused("application_cannot_be_found", "The application cannot be found")
        if str(sent.get("client_secret", "")) not in known:
            raise GrantRefused("invalid_client", "Client authentication failed", 401)
        match kind:
            case "authorization_code":
                return self._by_code(client_id, sent)
            case "refresh_token":
                return self._by_refresh(client_id, sent)
            case "client_credentials":
                # A token of 24 hours, without a refresh token: the app asks again (shopify.dev, November 2026).
                return self.world.authority.issue(client_id, self.options.scopes, lasts=self._day(), prefix="shpca")
            case _ if kind == EXCHANGE:
                return self._by_exchange(client_id, sent, known)
        raise GrantRefused("unsupported_grant_type", "The grant type is not supported")

    def _by_code(self, client_id: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        code = self.world.authority.take_code(str(sent.get("code", "")), client_id)
        if code.is_online:
            return self._online(client_id, code.scopes)
        return self._offline(client_id, code.scopes, sent)

    def _by_refresh(self, client_id: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        token = str(sent.get("refresh_token", ""))
        used = self.world.authority.use_refresh(token, client_id)
        return self._expiring(client_id, used.scopes, parent=token)

    def _by_exchange(self, client_id: str, sent: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
        subject = str(sent.get("subject_token", ""))
        good = session_tokens.is_good(subject, shop_domain=self.shop_domain, client_id=client_id, secrets=known)
        if not good or sent.get("subject_token_type") != ID_TOKEN:
            raise GrantRefused("invalid_subject_token", "The subject token is not valid")
        match str(sent.get("requested_token_type", "")).removeprefix(_ASKED_FOR):
            case "online-access-token":
                return self._online(client_id, self.options.scopes)
            case "offline-access-token":
                return self._offline(client_id, self.options.scopes, sent)
        raise GrantRefused("invalid_request", "The requested_token_type is not valid")

    def _offline(self, client_id: str, scopes: frozenset[str], sent: Mapping[str, Any]) -> dict[str, Any]:
        if str(sent.get("expiring", "0")).lower() in {"1", "true"}:
            return self._expiring(client_id, scopes)
        return self.world.authority.issue(client_id, scopes, lasts=None)

    def _expiring(self, client_id: str, scopes: frozenset[str], parent: str | None = None) -> dict[str, Any]:
        return self.world.authority.issue(
            client_id,
            scopes,
            lasts=timedelta(seconds=self.options.access_seconds),
            refresh_lasts=timedelta(seconds=self.options.refresh_seconds),
            parent=parent,
        )

    def _online(self, client_id: str, scopes: frozenset[str]) -> dict[str, Any]:
        body = self.world.authority.issue(client_id, scopes, lasts=ONLINE_LASTS, prefix="shpua")
        return {**body, "associated_user_scope": body["scope"], "associated_user": _USER}

    def _day(self) -> timedelta:
        """Of a client-credentials token; shortened as much as the other tokens are."""
        return timedelta(seconds=self.options.access_seconds * 24 - 1)

    def _may_redirect(self, uri: str) -> bool:
        if self.options.redirect_urls:
            return uri in self.options.redirect_urls
        return urlsplit(uri).hostname in LOOPBACK

    def _hmac(self, client_id: str, given: Mapping[str, str]) -> str:
        secret = self._secrets_of(client_id)[0]
        message = "&".join(f"{key}={given[key]}" for key in sorted(given))
        return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()

    # What only the sandbox has.

    async def show(self, _: Request) -> Response:
        """GET: tokens issued and refused, by the kind of grant."""
        authority = self.world.authority
        return answer({"granted": authority.granted, "refused": authority.refused, "tokens": len(authority.tokens)})

    async def session_token(self, request: Request) -> Response:
        """POST `{"client_id", "user", "seconds"}`, each may be left out: what App Bridge would give a page now."""
        asked = await _json(request)
        client_id = asked.get("client_id", self.options.client_id)
        secrets = self._secrets_of(client_id)
        if not secrets:
            return answer({"error": f"There is no app {client_id!r}."}, 400)
        made = session_tokens.make(
            shop_domain=self.shop_domain,
            client_id=client_id,
            secret=secrets[0],
            user=str(asked.get("user", "42")),
            seconds=float(asked.get("seconds", session_tokens.LASTS_SECONDS)),
        )
        return answer({"session_token": made})

    async def take_scopes(self, request: Request) -> Response:
        """POST `{"withheld": ["write_orders"]}`: the merchant takes these back, from tokens in use too."""
        self.world.authority.withheld = frozenset((await _json(request)).get("withheld", ()))
        return answer({"withheld": sorted(self.world.authority.withheld)})

    async def put_app(self, request: Request) -> Response:
        """POST `{"client_id", "secrets": ["old", "new"]}`: another app. The secrets of the sandbox's own
        are those of its webhooks."""
        asked = await _json(request)
        client_id = str(asked.get("client_id", ""))
        if client_id in {"", self.options.client_id} or not asked.get("secrets"):
            return answer({"error": "Give another app's client_id and its secrets."}, 400)
        self.world.authority.others[client_id] = [str(one) for one in asked["secrets"]]
        return answer({"client_id": client_id, "secrets": len(asked["secrets"])})

    async def expire(self, _: Request) -> Response:
        """POST: every access token that can expire has."""
        now = clock.now()
        expiring = [one for one in self.world.authority.tokens.values() if one.expires_at is not None]
        for one in expiring:
            one.expires_at = now
        return answer({"expired": len(expiring)})

    async def uninstall(self, request: Request) -> Response:
        """POST `{"client_id"}`, which may be left out: the merchant removes the app. Its tokens are worth nothing, the
        webhook of it is sent, and the subscriptions are gone."""
        client_id = (await _json(request)).get("client_id", self.options.client_id)
        gone = self.world.authority.uninstall(client_id, self.options)
        event_id = None
        if client_id == self.options.client_id:
            store = self.world.store
            event_id = self.world.webhooks.emit("app/uninstalled", shop(store, store.shop))
            self.world.webhooks.drop()
        return answer({"client_id": client_id, "tokens": gone, "event_id": event_id})


def _scopes(text: str) -> frozenset[str]:
    return frozenset(one for one in (part.strip() for part in text.replace(" ", ",").split(",")) if one)


def _sent(raw: bytes) -> Mapping[str, Any]:
    """JSON or a form, whatever the header says."""
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return dict(parse_qsl(raw.decode(errors="replace")))
    return body if isinstance(body, dict) else {}


async def _json(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = msgspec.json.decode(raw) if raw else {}
    return body if isinstance(body, dict) else {}


def _wrong_page(error: str, description: str) -> Response:
    return HTMLResponse(f"<h1>Oauth error {error}: {description}</h1>", status_code=400)
