from __future__ import annotations

from datetime import timedelta

import pytest
from tests.apps.commerce.conftest import OpenShop

from syncline.apps.commerce.settings import CommerceSettings
from syncline.runtime.app import Runtime

HERE = "http://127.0.0.1:9"
"""Nobody is there: what is sent to it is lost."""
ADDRESS = f"{HERE}/api/webhooks/shopify"


@pytest.fixture(autouse=True)
def no_grace(runtime: Runtime) -> None:
    """Changes count at once, also those of this very second."""
    settings = runtime.settings_of("commerce", CommerceSettings)
    settings.webhook_grace = timedelta(seconds=-10)


def subscribed(shop: OpenShop) -> dict[str, str]:
    """What the shop has, by the topic of its schema."""
    kept = shop.web.state.engine.world.webhooks.subscriptions.values()
    return {one.topic: one.uri for one in kept}
