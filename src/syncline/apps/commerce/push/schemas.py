"""What `/api/sync` accepts and returns beyond the contract's own types."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from syncline.apps.commerce.contract import PushRun
from syncline.apps.commerce.push_contract import EngineConfig, Priority, Strategy


class _Body(BaseModel):
    """Names may be written either way: minWorkers, min_workers."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class EngineSettings(_Body):
    """How a push works; see `docs/reference/push-engine.md`."""

    min_workers: int = Field(default=1, description="Workers it never has fewer of while there is work")
    max_workers: int = Field(default=8, description="Workers it never has more of, over all processes")
    batch_size: int | None = Field(default=None, description="Products compared and written together; else automatic")
    priority: Priority = Priority.NORMAL
    strategy: Strategy = Strategy.BALANCED

    def config(self) -> EngineConfig:
        return EngineConfig(self.min_workers, self.max_workers, self.batch_size, self.priority, self.strategy)


class SyncStart(_Body):
    store: str | None = Field(default=None, description="May be left out where there is only one")
    batch_id: UUID | None = Field(default=None, description="Only this batch; all approved changes, when left out")
    config: EngineSettings = Field(default_factory=EngineSettings)


class SyncWish(_Body):
    """Which push: by its id, or the one of a store that is not over."""

    run_id: UUID | None = None
    store: str | None = Field(default=None, description="May be left out where there is only one")


class SyncStatus(BaseModel):
    pushes: list[PushRun] = Field(description="Those that are not over first, each with its workers and its cost")
