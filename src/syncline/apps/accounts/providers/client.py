"""Calls a provider: its discovery document, its keys, the exchange of a code, the userinfo.

Every address is somebody else's: given by an owner, or by the provider itself. All calls pass the guard, none follows
a redirect, and none reads more than a megabyte or takes longer than ten seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from syncline.apps.accounts.contract import ProviderNotBelieved, ProviderRefused, ProviderUnavailable
from syncline.apps.accounts.providers.provider import Provider, checked_address
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.runtime.connect.guard import Guard, GuardedTransport
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_SECONDS = 10.0
_LIMIT_BYTES = 1_000_000
_KEPT = timedelta(hours=1)
_LOOK_AGAIN = timedelta(minutes=1)
"""An unknown key is looked for at most this often: made-up tokens must not become calls."""


@dataclass(frozen=True, slots=True)
class Metadata:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_basic: bool
    names_itself: bool
    """Whether its answers carry `iss` (RFC 9207); then one without it is not its."""


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: KeySet
    at: datetime


class ProviderClient:
    """One per process; what it learns of a provider is kept for an hour."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._metadata: dict[tuple[str, str], tuple[Metadata, datetime]] = {}
        self._keys: dict[tuple[str, str], _Keys] = {}

    async def metadata(self, provider: Provider, *, anew: bool = False) -> Metadata:
        """Raises `ProviderUnavailable`, `ProviderNotBelieved`, `AddressRefused`."""
        known = self._metadata.get(_same(provider))
        if known is not None and not anew and _is_younger(known[1], _KEPT):
            return known[0]
        address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = self._read(provider, await self._json(provider, "GET", address))
        self._metadata[_same(provider)] = (found, clock.now())
        return found

    async def keys(self, provider: Provider, kid: str | None) -> KeySet:
        """Those that may have signed a token that names `kid`: a key we do not know yet is looked for."""
        known = self._keys.get(_same(provider))
        if known is not None and _is_younger(known.at, _KEPT if _holds(known.keys, kid) else _LOOK_AGAIN):
            return known.keys
        metadata = await self.metadata(provider)
        try:
            keys = KeySet.import_key_set(await self._json(provider, "GET", metadata.jwks_uri))  # type: ignore[arg-type]
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise _odd(provider, "keys") from error
        self._keys[_same(provider)] = _Keys(keys, clock.now())
        return keys

    async def exchange(self, provider: Provider, *, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """The tokens for a code. Raises `ProviderRefused` for a code that is not good, or a client that is not known
        there."""
        metadata = await self.metadata(provider)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth: httpx.BasicAuth | None = None
        if provider.client_secret is None:
            form["client_id"] = provider.client_id
        elif metadata.takes_basic:
            # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            auth = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        return await self._json(provider, "POST", metadata.token_endpoint, data=form, auth=auth)

    async def userinfo(self, provider: Provider, access_token: str) -> Mapping[str, Any] | None:
        """None where the provider has none, or answers signed, which we did not ask for."""
        endpoint = (await self.metadata(provider)).userinfo_endpoint
        if endpoint is None:
            return None
        return await self._json(provider, "GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})

    async def _json(self, provider: Provider, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        checked_address(url, self._guard_for(provider), what="address")
        status, text = await self._send(provider, method, url, **more)
        if status >= 500 or status == 429:
            raise _down(provider)
        try:
            body = json.loads(text)
        except ValueError as error:
            raise _odd(provider, f"{status} that is not JSON") from error
        if not isinstance(body, dict):
            raise _odd(provider, "JSON that is no object")
        if status != 200:
            log.warning("sign-in provider refused", provider=provider.key, status=status, error=body.get("error"))
            raise ProviderRefused(
                f"{provider.title} did not accept this sign-in. Try again; if it stays so, the settings of the provider"
                " (client id, secret, redirect address) have to be looked at."
            )
        return body

    async def _send(self, provider: Provider, method: str, url: str, **more: Any) -> tuple[int, bytes]:
        transport = GuardedTransport(self._guard_for(provider))
        try:
            async with asyncio.timeout(_SECONDS), httpx.AsyncClient(transport=transport, timeout=_SECONDS) as client:
                headers = {"Accept": "application/json", **more.get("headers", {})}
                request = client.build_request(method, url, data=more.get("data"), headers=headers)
                response = await client.send(request, stream=True, auth=more.get("auth"))
                return response.status_code, await _body(response)
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("sign-in provider cannot be reached", provider=provider.key, error=type(error).__name__)
            raise _down(provider) from error

    def _guard_for(self, provider: Provider) -> Guard:
        """The operator may name a provider inside his own network: his settings say so."""
        host = urlsplit(provider.issuer).hostname
        if provider.tenant_id is not None or host is None:
            return self._guard
        return Guard(self._guard.hosts | {host.rstrip(".").lower()}, self._guard.networks)

    def _read(self, provider: Provider, body: Mapping[str, Any]) -> Metadata:
        if body.get("issuer") != provider.issuer:
            raise _odd(provider, "another issuer in its discovery document")
        try:
            named = {name: self._address(provider, body, name) for name in _ENDPOINTS}
            userinfo = self._address(provider, body, "userinfo_endpoint") if "userinfo_endpoint" in body else None
        except InvalidInput as error:
            raise _odd(provider, f"an address that is not taken: {error.sentence}") from error
        methods = body.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Metadata(
            issuer=provider.issuer,
            **named,
            userinfo_endpoint=userinfo,
            takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
            names_itself=body.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, provider: Provider, body: Mapping[str, Any], name: str) -> str:
        value = body.get(name)
        if not isinstance(value, str):
            raise _odd(provider, f"no {name}")
        return checked_address(value, self._guard_for(provider), what=name)


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def _same(provider: Provider) -> tuple[str, str]:
    return provider.key, provider.issuer


async def _body(response: httpx.Response) -> bytes:
    text = b""
    async for part in response.aiter_bytes():
        text += part
        if len(text) > _LIMIT_BYTES:
            raise httpx.DecodingError("the answer is too long", request=response.request)
    return text


def _is_younger(moment: datetime, age: timedelta) -> bool:
    # A clock that was set back must not make what is in memory good for ever.
    return abs(clock.now() - moment) < age


def _holds(keys: KeySet, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys.keys)


def _down(provider: Provider) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"{provider.title} cannot be reached at the moment. Try again in a minute, or sign in with your password."
    )


def _odd(provider: Provider, what: str) -> ProviderNotBelieved:
    log.warning("sign-in provider gave an odd answer", provider=provider.key, what=what)
    return ProviderNotBelieved(
        f"The answer of {provider.title} is not what a sign-in provider answers, so it was not believed. Ask whoever"
        " looks after the provider; the reason is in the log."
    )
