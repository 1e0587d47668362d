"""The declaration of the Attio connector."""

from __future__ import annotations

from typing import Final

from syncline.connectors.attio.actions import ACTIONS
from syncline.connectors.attio.client import READS, WRITES, AttioConfig
from syncline.connectors.attio.streams import STREAMS
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector, RateLimit

CONNECTOR: Final = Connector(
    name="attio",
    config=AttioConfig,
    auth=Auth(scheme="Bearer", secret_fields=("access_token",)),
    streams=tuple(STREAMS.values()),
    actions=ACTIONS,
    api_versions=(ApiVersion("v2"),),
    # docs.attio.com, "Rate limiting", November 2026.
    rate_limits=(
        RateLimit(unit="reads", per_second={"all": READS.calls / READS.seconds}),
        RateLimit(unit="writes", per_second={"all": WRITES.calls / WRITES.seconds}),
    ),
)
