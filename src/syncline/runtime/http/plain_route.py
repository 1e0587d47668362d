"""Routes for small requests that come by the thousand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from syncline.runtime.http.auth import identify, require

_Given = Callable[[Request], Awaitable[Any]]


class PlainRoute(APIRoute):
    """Documented, guarded and limited like any other, but called without FastAPI's solving of parameters, which costs
    as much as the rest of a small request: `APIRouter(..., route_class=PlainRoute)`.

    The endpoint takes the request, `Depends(require(...))` and `Depends(uses(...))`, reads its body itself and makes
    its own `Response`. Raises `TypeError` when it is declared with anything else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        asks = self.dependant
        if asks.path_params or asks.query_params or asks.header_params or asks.cookie_params or asks.body_params:
            raise TypeError(f"{self.path}: a plain route takes the request and dependencies, and no parameters")
        given = [(one.name, _giver(one.call)) for one in asks.dependencies]
        request_name, endpoint = asks.request_param_name, self.endpoint

        async def handle(request: Request) -> Response:
            values = {name: await give(request) for name, give in given if name is not None}
            if request_name is not None:
                values[request_name] = request
            answer: Response = await endpoint(**values)
            return answer

        return handle


def _giver(call: Any) -> _Given:
    if not isinstance(call, require):
        given: _Given = call
        return given

    async def allowed(request: Request) -> Any:
        return await call(await identify(request))

    return allowed
