"""The declaration of the Smartlead connector."""

from __future__ import annotations

from typing import Final

from syncline.connectors.smartlead.actions import ACTIONS
from syncline.connectors.smartlead.client import PACES, SmartleadConfig
from syncline.connectors.smartlead.streams import STREAMS
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector, RateLimit

CONNECTOR: Final = Connector(
    name="smartlead",
    config=SmartleadConfig,
    auth=Auth(scheme="api_key in the query", secret_fields=("api_key",)),
    streams=tuple(STREAMS.values()),
    actions=ACTIONS,
    api_versions=(ApiVersion("v1"),),
    rate_limits=(
        RateLimit(
            unit="requests per key",
            per_second={
                plan: min(pace.calls / pace.seconds for pace in paces) for plan, paces in PACES.items() if paces
            },
            burst={plan: float(max(pace.burst for pace in paces)) for plan, paces in PACES.items() if paces},
        ),
    ),
)
