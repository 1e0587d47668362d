"""What an installation says of its surroundings, as the middleware that follows from it, outermost first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from syncline.runtime.http.headers import SecurityHeaders
from syncline.runtime.http.middleware import Edge
from syncline.runtime.http.proxies import Network, TrustedProxies
from syncline.runtime.http.time_limit import DEFAULT_SECONDS, TimeLimit, seconds_by_path
from syncline.runtime.limits.rates import KEPT_SECONDS

_READABLE = (
    "Content-Disposition",
    "ETag",
    "Retry-After",
    "X-Correlation-ID",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)


@dataclass(frozen=True, kw_only=True)
class Protection:
    """`proxies` are believed about who calls; `origins` are other sites whose pages may call, with a key of theirs and
    never with a cookie; `request_seconds` is how long an answer may take to begin,
    `stops_kept_seconds` how old what we know of stops may be, `rates_kept_seconds` the same of changed limits."""

    proxies: tuple[Network, ...] = ()
    origins: tuple[str, ...] = ()
    request_seconds: float = DEFAULT_SECONDS
    stops_kept_seconds: float = 1.0
    rates_kept_seconds: float = KEPT_SECONDS

    def proxied(self) -> list[Middleware]:
        """Around everything: who calls."""
        return [Middleware(TrustedProxies, trusted=self.proxies)] if self.proxies else []

    def edge(self) -> list[Middleware]:
        """Around all but that, so that the last resort's 500 has the headers too, and a listed page may read it."""
        return [Middleware(SecurityHeaders), *self._cross_origin(), Middleware(Edge)]

    def time_limit(self, routes: Sequence[APIRoute]) -> Middleware:
        return Middleware(TimeLimit, seconds_of=seconds_by_path(self.request_seconds, routes))

    def _cross_origin(self) -> list[Middleware]:
        if not self.origins:
            return []
        listed = Middleware(
            CORSMiddleware,
            allow_origins=list(self.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "X-Correlation-ID",
                "X-Request-Timeout",
                "X-Tenant",
                "If-Match",
                "If-None-Match",
            ],
            expose_headers=list(_READABLE),
            max_age=600,
        )
        return [listed]
