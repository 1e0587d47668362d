"""For sessions that a browser keeps in a cookie: how the cookie is set, and that no other site uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from syncline.kernel.errors import NotAllowed

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class FromAnotherSite(NotAllowed):
    code = "API_003"
    title = "This came from another site"


@dataclass(frozen=True, slots=True)
class BrowserCookie:
    """Out of reach of scripts, and to this host only. `strict` is sent with nothing that another site began, `lax` also
    when another site leads the browser here, as a sign-in provider does."""

    name: str
    path: str = "/"
    same_site: Literal["lax", "strict"] = "lax"

    def full_name(self, *, is_secure: bool) -> str:
        """Over TLS with a prefix that no page without TLS can set (RFC 6265bis, 4.1.3): `__Host-`, which no other host
        can set either, but which is for the whole host; `__Secure-` where the path is narrower."""
        prefix = "__Host-" if self.path == "/" else "__Secure-"
        return f"{prefix}{self.name}" if is_secure else self.name

    def read(self, request: Request, *, is_secure: bool) -> str | None:
        return request.cookies.get(self.full_name(is_secure=is_secure))

    def put(self, response: Response, value: str, *, lasts: timedelta, is_secure: bool) -> None:
        """`is_secure` False: a laptop without TLS."""
        response.set_cookie(
            self.full_name(is_secure=is_secure),
            value,
            max_age=int(lasts.total_seconds()),
            path=self.path,
            secure=is_secure,
            httponly=True,
            samesite=self.same_site,
        )

    def clear(self, response: Response, *, is_secure: bool) -> None:
        response.delete_cookie(
            self.full_name(is_secure=is_secure),
            path=self.path,
            secure=is_secure,
            httponly=True,
            samesite=self.same_site,
        )


def require_same_site(request: Request, allowed_origins: frozenset[str] = frozenset()) -> None:
    """For a request that is believed because of a cookie. Raises `FromAnotherSite`.

    Browsers say where a request comes from in `Sec-Fetch-Site`, which no page can write (all since 2023), older ones in
    `Origin`. A write that says neither came from no browser of ours, and has no business with a cookie.
    """
    if request.method in _READING:
        return
    origin = request.headers.get("origin")
    if origin is not None and origin in allowed_origins:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is not None and _is_same_origin(origin, request)
    if not is_ours:
        raise FromAnotherSite("This was sent by a page of another site, so it was not done. Do it on our own pages.")


def _is_same_origin(origin: str, request: Request) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) == (request.url.scheme, request.url.netloc)
