"""Times are compared with Shopify's clock, not with ours."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from syncline.connectors.shopify import queries
from syncline.connectors.shopify.testing import RecordedStore, open_client
from syncline.kernel import clock
from syncline.runtime.connect.testing import ScriptedVendor

NOW = datetime(2026, 11, 22, 10, 0, 0, 400_000, tzinfo=UTC)


async def store_now(date: str | None) -> datetime:
    store = RecordedStore()

    def dated(request: httpx.Request) -> httpx.Response:
        response = store(request)
        response.headers.update({} if date is None else {"Date": date})
        return response

    with clock.frozen(NOW):
        async with open_client(ScriptedVendor(dated).transport) as client:
            await client.execute(queries.PROBE, idempotent=True)
            return client.store_now()


@pytest.mark.parametrize("date", [None, "Sun, 22 Nov 2026 10:00:01 GMT", "yesterday"])
async def test_is_ours_a_little_early_when_the_clocks_agree_or_shopify_does_not_say(date: str | None) -> None:
    assert await store_now(date) == datetime(2026, 11, 22, 9, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "hour"), [("Sun, 22 Nov 2026 11:00:00 GMT", 11), ("Sun, 22 Nov 2026 09:00:00 GMT", 9)]
)
async def test_follows_shopifys_when_ours_is_wrong(date: str, hour: int) -> None:
    found = await store_now(date)
    theirs = datetime(2026, 11, 22, hour, tzinfo=UTC)
    assert theirs - timedelta(seconds=3) <= found <= theirs
