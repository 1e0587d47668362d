"""The handler that first comes to mind, for comparison: each webhook is inserted and committed by its own request. It
checks the same, at the same place in the stack, and makes no job."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.signatures import recipients_of
from syncline.apps.commerce.webhooks.doors import Doors
from syncline.apps.commerce.webhooks.keeping import Delivery, keep
from syncline.connectors.shopify.webhooks import is_signed, read_headers
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.app import App, HotAnswer, HotParts, HotRequest, HotRoutes, Web

PATH: Final = "/bench/naive-webhooks"


class Naive:
    def __init__(self, parts: HotParts) -> None:
        runtime = parts.runtime
        self._database = runtime.database
        self._doors = Doors(lambda shop: recipients_of(runtime.database, runtime.secrets, shop))
        self._limit = runtime.settings_of("commerce", CommerceSettings).webhook_limit_bytes

    async def __call__(self, request: HotRequest) -> HotAnswer:
        headers = read_headers(request.headers)
        body = b"".join([piece async for piece in request.body()])
        (store,) = await self._doors.find(headers.shop_domain)
        if not is_signed(body, headers.signature, store.secrets):
            return HotAnswer(b"{}", status=401)
        now = clock.now()
        delivery = Delivery(
            new_id(), store.tenant_id, store.store_id, headers, body, 0, now, now, request.correlation_id
        )
        async with self._database.system() as session:
            await keep(session, [delivery])
        return HotAnswer(b'{"success":true}')


WEB: Final = Web(hot_routes=(HotRoutes(method="POST", operations={PATH: {}}, make=Naive),))
NAIVE: Final = App(name="bench", migrations=Path(), settings=BaseModel, web=__name__)
