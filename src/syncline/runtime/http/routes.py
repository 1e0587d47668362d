"""Finds the route of a request among hundreds without trying each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_FOUND = "syncline.route"
_ALLOWED = "syncline.allowed_methods"
Shelf = tuple[str, ...]


class RouteIndex(BaseRoute):
    """API routes kept by the first two parts of their paths: `/api/keys/{key_id}` is only tried for what lies below
    `/api/keys`. Among those the first that fits answers, as in any router; routes with a placeholder in these two parts
    come after them.

    An included router of FastAPI, in its stead, is searched from its first route to its last, twice for every request,
    and makes each of its routes once more, with all its models, when the first request comes."""

    def __init__(self, routes: Sequence[APIRoute]) -> None:
        self.routes = list(routes)
        self._shelves: dict[Shelf, list[APIRoute]] = {}
        self._anywhere: list[APIRoute] = []
        for route in self.routes:
            shelf = _shelf(route.path)
            here = self._anywhere if any("{" in part for part in shelf) else self._shelves.setdefault(shelf, [])
            here.append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        partial: tuple[APIRoute, Scope] | None = None
        allowed: set[str] = set()
        for route in chain(self._shelves.get(_shelf(scope["path"]), ()), self._anywhere):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _FOUND: route}
            if match is Match.PARTIAL:
                partial = partial or (route, child)
                allowed |= route.methods or set()
        if "GET" in allowed:
            allowed.add("HEAD")
        if partial is None:
            return Match.NONE, {}
        return Match.PARTIAL, {**partial[1], _FOUND: partial[0], _ALLOWED: sorted(allowed)}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: APIRoute = scope[_FOUND]
        if _ALLOWED in scope:
            # A route names its own methods only; the same path has others in other routes (RFC 9110, 15.5.6).
            raise HTTPException(405, headers={"Allow": ", ".join(scope[_ALLOWED])})
        await route.handle(scope, receive, send)


def _shelf(path: str) -> Shelf:
    return tuple(path.split("/", 3)[1:3])
