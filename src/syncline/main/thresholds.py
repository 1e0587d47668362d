"""Settings of how a process looks after itself: when health warns, when a breaker opens, how it stops."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from syncline.runtime.connect.breaker import BreakerSettings


class Thresholds(BaseModel):
    """Part of `Settings`."""

    health_memory_percent: float = Field(
        default=90.0,
        gt=0,
        le=100,
        description="Memory in use, of the machine or of what the container may have, from which health says degraded",
    )
    health_cpu_percent: float = Field(
        default=90.0, gt=0, le=100, description="The same, of this process's processor time over the last minute"
    )
    health_disk_free_bytes: int = Field(
        default=1_000_000_000,
        ge=0,
        description="Free disk at the data directory under which health says degraded; unhealthy under a tenth of it",
    )
    health_database_seconds: float = Field(
        default=1.0, gt=0, description="The same, of how long the database takes to answer"
    )
    health_lag_seconds: float = Field(
        default=300.0, gt=0, description="The same, of how long a job that is due, or an event, waits for a worker"
    )
    health_dead_letters: int = Field(default=100, ge=1, description="The same, of dead letters that nobody has seen to")
    dead_letters_kept_days: int = Field(
        default=180, ge=7, description="How long dead letters of no tenant are kept; a tenant's go by its retention"
    )
    breaker_seconds: float = Field(
        default=10.0, gt=0, le=600, description="How long one call to a vendor may take before it counts as failed"
    )
    breaker_error_percent: float = Field(
        default=50.0, gt=0, le=100, description="Failed calls of an upstream from which on it is not called any more"
    )
    breaker_window_seconds: float = Field(default=30.0, gt=0, description="Over how long they are counted")
    breaker_minimum_calls: int = Field(default=10, ge=1, description="Fewer calls than that never open a breaker")
    breaker_cool_down_seconds: float = Field(
        default=30.0, gt=0, description="How long it stays open; then one call at a time tries"
    )
    job_seconds: float = Field(
        default=21_600.0, gt=0, description="How long one attempt at a job may take before it is ended and tried again"
    )
    stop_grace_seconds: float = Field(
        default=20.0, ge=0, description="How long requests and jobs under way may take after a signal to stop"
    )
    stop_delay_seconds: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description="How long requests are still taken while /ready says 503 already; longer"
        " than a load balancer takes to notice",
    )

    @property
    def breaker(self) -> BreakerSettings:
        return BreakerSettings(
            timeout=timedelta(seconds=self.breaker_seconds),
            window=timedelta(seconds=self.breaker_window_seconds),
            minimum_calls=self.breaker_minimum_calls,
            error_ratio=self.breaker_error_percent / 100,
            cool_down=timedelta(seconds=self.breaker_cool_down_seconds),
        )
