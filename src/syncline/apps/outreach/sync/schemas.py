"""What `/api/full-sync` accepts and returns. Names are those that callers have relied on for long."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from syncline.apps.outreach.completion.service import Completion


class SyncExecute(BaseModel):
    """Looked at field by field, so that everything wrong is said at once and under SYNC_001."""

    model_config = ConfigDict(extra="allow")

    platforms: Any = Field(
        default=None, description="`lemlist`, `smartlead`, or both: `a,b` or a list; both when left out"
    )
    syncMode: Any = Field(  # noqa: N815 - the callers' name
        default=None,
        description="full_historical, delta_since_last (when left out), date_range or namespace_reset",
        examples=["date_range"],
    )
    startDate: Any = Field(default=None, description="Of date_range, inclusive", examples=["2024-01-01"])  # noqa: N815
    endDate: Any = Field(default=None, description="Of date_range, inclusive", examples=["2024-01-01"])  # noqa: N815
    namespaces: Any = Field(default=None, description="`a,b` or a list; all there are when left out")
    batchSize: Any = Field(default=None, description="Records in one step, 1 to 1000 (50)")  # noqa: N815
    enableProgressTracking: Any = Field(default=None, description="true")  # noqa: N815
    enableMixpanelTracking: Any = Field(  # noqa: N815
        default=None, description="true; false stores events without delivering them until a run that tracks"
    )
    enableAttioSync: Any = Field(default=None, description="false")  # noqa: N815
    webhookUrl: Any = Field(  # noqa: N815
        default=None, description="Told of the end of the run, signed by Standard Webhooks"
    )
    parallelWorkers: Any = Field(default=None, description="1 to 16 (4)")  # noqa: N815
    dateRange: Any = Field(  # noqa: N815
        default=None, description="{chunkSize: days read at a time, delay: milliseconds between two}"
    )
    rateLimitOverride: Any = Field(  # noqa: N815
        default=None, description="{requestsPerSecond, burstSize}: slower than the tools' own limits, never faster"
    )


class SyncCompare(SyncExecute):
    """The same, without a mode; a range is optional."""

    repair: bool = Field(default=False, description="Store what is missing, and deliver again what Mixpanel lacks")
    readBack: bool = Field(  # noqa: N815
        default=False, description="Compare with Mixpanel's raw export, not with our receipts alone"
    )


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class SyncStarted(_Camel):
    success: bool = True
    job_id: str
    config: dict[str, Any]
    estimated_duration: str = Field(examples=["about 3 minutes"])
    progress_url: str


class SyncProgress(BaseModel):
    percentage: float
    processed_items: int
    total_items: int = Field(description="As well as can be said before everything is read")
    current_stage: str
    eta_minutes: int | None


class SyncSummary(BaseModel):
    total_processed: int
    events_created: int
    users_processed: int
    errors: int = Field(description="Records of which no event can be made")
    duration_ms: int


class SyncState(BaseModel):
    jobId: str  # noqa: N815
    status: str
    progress: SyncProgress
    summary: SyncSummary
    error: str | None


class SyncCancelled(BaseModel):
    success: bool = True
    jobId: str  # noqa: N815
    status: str
    message: str


class SyncPast(BaseModel):
    jobId: str  # noqa: N815
    status: str
    config: dict[str, Any]
    duration_ms: int
    summary: SyncSummary
    requested_by: str
    created_at: datetime
    error: str | None


class SyncHistory(BaseModel):
    jobs: list[SyncPast]


class ComparedState(BaseModel):
    jobId: str  # noqa: N815
    status: str
    report: dict[str, Any] | None = Field(description="Null until the comparison has ended")
    error: str | None


class CompletionList(BaseModel):
    completions: list[Completion]


class SigningSecret(BaseModel):
    secret: str = Field(description="Checks what completion webhooks are signed with (Standard Webhooks)")
