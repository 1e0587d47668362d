"""Shopify's token endpoint: a code, a refresh token, a session token, or the app's own word, for an access token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from syncline.connectors.shopify.auth import store_origin
from syncline.connectors.shopify.errors import HTTP, UnreadableAnswer
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.client import Call, HttpClient, Timeouts, log_retry, retry_after
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.redact import Redactor
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.retry import RetryPolicy, retrying

_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name of RFC 8693
_OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"
_DEADLINE: Final = timedelta(seconds=20)
_RETRY: Final = RetryPolicy(attempts=3, base=timedelta(milliseconds=300))


class GrantRefused(Fatal):
    """Shopify gives no token for this code, refresh token or session token: only the merchant can grant anew."""


class CredentialsRefused(Fatal):
    """Shopify does not know the app, or its secret is another one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An app's, at Shopify."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`expires_in` None: for good. `refresh_token` comes with expiring offline tokens only."""

    access_token: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_in: timedelta | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_in: timedelta | None


_CREDENTIALS_CODES: Final = frozenset({"invalid_client", "application_cannot_be_found", "unauthorized_client"})


class OAuthClient:
    """Of one shop and app. An async context manager."""

    def __init__(
        self,
        shop_domain: str,
        credentials: Credentials,
        *,
        base_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        timeouts: Timeouts | None = None,
    ) -> None:
        origin = store_origin(shop_domain, base_url)
        self._shop = shop_domain
        self._credentials = credentials
        self._url = f"{origin}/admin/oauth/access_token"
        self._redact = Redactor([credentials.client_secret])
        upstream = f"shopify:{shop_domain} tokens"
        self._http = HttpClient(
            upstream,
            breaker=registry.breaker(upstream if base_url is None else f"{upstream} at {origin}"),
            redactor=self._redact,
            timeouts=timeouts,
            transport=transport,
            hooks=registry.hooks,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.close()

    async def by_code(self, code: str) -> Tokens:
        """An expiring offline token for a code, which is good once: a call that may have arrived is not repeated.
        Raises `GrantRefused`, `CredentialsRefused`, and `Retriable` outcomes."""
        return await self._ask("by_code", {"code": code, "expiring": "1"}, idempotent=False)

    async def by_refresh(self, refresh_token: str) -> Tokens:
        """Safe to repeat: Shopify takes a refresh token again until its replacement was used (since 28 August 2026;
        shopify.dev, changelog). Raises what `by_code` raises."""
        given = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._ask("by_refresh", given, idempotent=True)

    async def by_client_credentials(self) -> Tokens:
        """For a shop of the app's own organisation. Safe to repeat. Raises what `by_code` raises."""
        return await self._ask("by_client_credentials", {"grant_type": "client_credentials"}, idempotent=True)

    async def by_session_token(self, session_token: str) -> Tokens:
        """An expiring offline token for a page's session token. Safe to repeat while that is good. Raises what
        `by_code` raises."""
        given = {
            "grant_type": _EXCHANGE,
            "subject_token": session_token,
            "subject_token_type": _ID_TOKEN,
            "requested_token_type": _OFFLINE,
            "expiring": "1",
        }
        return await self._ask("by_session_token", given, idempotent=True)

    async def _ask(self, operation: str, given: Mapping[str, str], *, idempotent: bool) -> Tokens:
        limit = Deadline.after(_DEADLINE)
        body = {"client_id": self._credentials.client_id, "client_secret": self._credentials.client_secret, **given}
        call = Call(
            operation,
            self._url,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            content=msgspec.json.encode(body),
        )

        async def once(_: int) -> Tokens:
            return await self._http.attempt(call, self._read, deadline=limit)

        return await retrying(
            once,
            idempotent=idempotent,
            policy=_RETRY,
            deadline=limit,
            on_retry=log_retry(self._http.upstream, operation),
        )

    def _read(self, response: httpx.Response) -> Tokens:
        try:
            body = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = None
        if response.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED} and isinstance(body, dict):
            raise self._refusal(str(body.get("error", "")), str(body.get("error_description", "")))
        if response.status_code != httpx.codes.OK:
            raise HTTP.outcome(response.status_code, wait=retry_after(response), shop=self._shop)
        found = _tokens(body)
        if found is None:
            raise UnreadableAnswer(f"{self._shop} answered, but not with a token.", vendor_code="unreadable")
        return found

    def _refusal(self, code: str, description: str) -> Fatal:
        """By the word of RFC 6749, section 5.2, never by the text. A refresh token that is not good is told as
        `invalid_request` with status 401 (seen on live shops, June 2026), a code as 400."""
        detail = self._redact(description)
        if code in _CREDENTIALS_CODES:
            return CredentialsRefused(
                f"Shopify does not accept the client id and secret of the app that {self._shop} is connected through; "
                "give them again with `syncline stores app set`.",
                detail=detail,
                vendor_code=code,
            )
        return GrantRefused(
            f"Shopify gives no token for {self._shop} any more; the merchant has to allow the app again.",
            detail=detail,
            vendor_code=code or None,
        )


def _tokens(body: Any) -> Tokens | None:
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
        return None
    refresh = body.get("refresh_token")
    return Tokens(
        access_token=body["access_token"],
        scopes=tuple(sorted(one for one in str(body.get("scope", "")).split(",") if one)),
        expires_in=_seconds(body.get("expires_in")),
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
        refresh_expires_in=_seconds(body.get("refresh_token_expires_in")),
    )


def _seconds(value: Any) -> timedelta | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return timedelta(seconds=value) if is_number else None
