from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field


class OutreachSettings(BaseModel):
    """SYNCLINE_OUTREACH_*"""

    operator_tenant: str = Field(
        default="main",
        description="Whose administrators may optimise the database and run migrations over HTTP: the tenant's name in"
        " addresses. These change the installation for everybody",
    )
    allow_sandbox_urls: bool = Field(
        default=True, description="Accept connections whose base URL is a loopback address (a sandbox)"
    )
    overlap: timedelta = Field(
        default=timedelta(days=1),
        description="How far a delta sync reaches back before the last one at lemlist, for what was recorded late",
    )
    whole_every: timedelta = Field(
        default=timedelta(days=1),
        description="How often a delta sync reads a Smartlead campaign whole though its counters did not move; 0 does"
        " so each time",
    )
    export_lag: timedelta = Field(
        default=timedelta(seconds=30),
        description="How long after an import whose answer was lost its events are looked for in Mixpanel's export;"
        " Mixpanel gives no figure",
    )
    delivery_senders: int = Field(default=4, ge=1, le=20, description="Batches under way to Mixpanel at once")
    lag_alert: timedelta = Field(
        default=timedelta(hours=1),
        description="An event that waits longer for Mixpanel is told to the channels, once when it begins and once when"
        " it is over",
    )
    stale_after: timedelta = Field(
        default=timedelta(hours=3),
        description="For how long the hourly sync may come to no good end before the channels are told, once when it"
        " begins and once when it is over",
    )
