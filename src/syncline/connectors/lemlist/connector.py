"""The declaration of the lemlist connector."""

from __future__ import annotations

from typing import Final

from syncline.connectors.lemlist.actions import ACTIONS
from syncline.connectors.lemlist.client import PACE, LemlistConfig
from syncline.connectors.lemlist.streams import STREAMS
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector, RateLimit

CONNECTOR: Final = Connector(
    name="lemlist",
    config=LemlistConfig,
    auth=Auth(scheme="Basic with an empty user", secret_fields=("api_key",)),
    streams=tuple(STREAMS.values()),
    actions=ACTIONS,
    api_versions=(ApiVersion("v2"),),
    # developer.lemlist.com, "Rate limits", November 2026: for each key, on all routes.
    rate_limits=(RateLimit(unit="requests per key", per_second={"all": PACE.calls / PACE.seconds}),),
)
