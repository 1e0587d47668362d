"""JSON bodies as Shopify sends them."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


def answer(body: Any, status: int = 200) -> Response:
    return Response(_encode(body), status, media_type="application/json; charset=utf-8")
