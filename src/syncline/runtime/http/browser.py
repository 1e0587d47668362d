"""For sessions that a browser keeps in a cookie: how the cookie is set, and that no other site uses it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from syncline.kernel.errors import NotAllowed

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class FromAnotherSite(NotAllowed):
    code = "API_003"
    title = "This came from another site"


def cookie_name(name: str, *, is_secure: bool) -> str:
    """Over TLS with the prefix `__Host-`, which no other host and no page without TLS can set (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if is_secure else name


def set_session_cookie(response: Response, name: str, value: str, *, lasts: timedelta, is_secure: bool) -> None:
    """Out of reach of scripts, to this host only and from this site only. `is_secure` False: a laptop without TLS."""
    response.set_cookie(
        cookie_name(name, is_secure=is_secure),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, name: str, *, is_secure: bool) -> None:
    response.delete_cookie(
        cookie_name(name, is_secure=is_secure), path="/", secure=is_secure, httponly=True, samesite="lax"
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
