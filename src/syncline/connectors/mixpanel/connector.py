"""The declaration of the Mixpanel connector."""

from __future__ import annotations

from typing import Final

from syncline.connectors.mixpanel.actions import ACTIONS, MOST_EVENTS
from syncline.connectors.mixpanel.client import MixpanelConfig
from syncline.connectors.mixpanel.streams import STREAMS
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector, RateLimit

CONNECTOR: Final = Connector(
    name="mixpanel",
    config=MixpanelConfig,
    auth=Auth(scheme="Basic with a service account", secret_fields=("password",)),
    streams=tuple(STREAMS.values()),
    actions=ACTIONS,
    api_versions=(ApiVersion("2.0"),),
    # docs.mixpanel.com, "Rate limits", November 2026.
    rate_limits=(
        RateLimit(unit="events per project", per_second={"all": 30_000.0}, per_call=float(MOST_EVENTS)),
        RateLimit(unit="export queries per project", per_second={"all": 60 / 3_600}, burst={"all": 60.0}),
    ),
)
