"""The refresh token of a browser: in a cookie that no script can read, instead of in the answer.

Sent to `/api/auth` only, and with nothing that another site began; what comes with it is also asked where it came from.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from syncline.apps.accounts.contract import SignedIn
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.schemas import Tokens
from syncline.runtime.http.browser import BrowserCookie, require_same_site

_COOKIE = BrowserCookie("syncline-refresh", path="/api/auth", same_site="strict")


class RefreshCookie:
    """One per process: what the settings say of our own address."""

    def __init__(self, settings: AccountsSettings) -> None:
        parts = urlsplit(settings.public_url)
        self._is_https = parts.scheme == "https"
        self._own_origin = frozenset({f"{parts.scheme}://{parts.netloc}"})
        self._lasts = settings.refresh_lifetime

    def is_secure(self, request: Request) -> bool:
        """Also behind a proxy that ends TLS and is not known as ours."""
        return self._is_https or request.url.scheme == "https"

    def check(self, request: Request, *, wanted: bool) -> None:
        """Before a sign-in that wants the cookie. Raises `FromAnotherSite`: a page of another site must not sign a
        browser in here as somebody it chose."""
        if wanted:
            require_same_site(request, self._own_origin)

    def answer(self, request: Request, response: Response, made: SignedIn, *, wanted: bool) -> Tokens:
        """The tokens, with the refresh token in the cookie if `wanted`."""
        response.headers["Cache-Control"] = "no-store"
        tokens = Tokens.of(made)
        if not wanted:
            return tokens
        self.put(request, response, made)
        return tokens.model_copy(update={"refresh_token": None})

    def put(self, request: Request, response: Response, made: SignedIn) -> None:
        _COOKIE.put(response, made.refresh_token, lasts=self._lasts, is_secure=self.is_secure(request))

    def read(self, request: Request) -> str | None:
        """The token of the cookie, None without one. Raises `FromAnotherSite`."""
        found = _COOKIE.read(request, is_secure=self.is_secure(request))
        self.check(request, wanted=found is not None)
        return found

    def clear(self, request: Request, response: Response) -> None:
        _COOKIE.clear(response, is_secure=self.is_secure(request))
