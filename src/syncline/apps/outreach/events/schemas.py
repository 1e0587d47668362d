"""What `/api/event-keys` takes and answers. Bodies are read by `checks`; these say in the document what they are."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from syncline.apps.outreach.contract import KeyStats, RecordedKey
from syncline.apps.outreach.events.checks import BATCH_MOST, LONGEST, PLATFORMS

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_ID: dict[str, Any] = {"anyOf": [_TEXT, {"type": "integer", "minimum": 0}]}

_EVENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["platform", "campaignId", "eventType", "email"],
    "properties": {
        "platform": {"type": "string", "enum": list(PLATFORMS)},
        "campaignId": {**_ID, "examples": ["cam_A1b2C3"]},
        "eventType": {**_TEXT, "examples": ["email_sent"]},
        "email": {"type": "string", "format": "email", "examples": ["sam@example.com"]},
        "activityId": {**_ID, "description": "The tool's own id of the event", "examples": ["act_x6esGLho"]},
        "timestamp": {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}],
            "description": "When it happened; counts only without an activityId",
            "examples": ["2024-01-01T10:00:00Z"],
        },
        "namespace": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9_-]{0,62}$",
            "description": "Made on first use; `default` when left out",
            "examples": ["north"],
        },
    },
}
_EXAMPLE = {"platform": "lemlist", "campaignId": "cam_A1b2C3", "eventType": "email_sent", "email": "sam@example.com"}
_EVENTS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["events"],
    "properties": {
        "events": {
            "type": "array",
            "minItems": 1,
            "maxItems": BATCH_MOST,
            "items": _EVENT,
            "examples": [[_EXAMPLE]],
        }
    },
}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


ONE_EVENT, MANY_EVENTS = _body(_EVENT), _body(_EVENTS)
"""For a route's `openapi_extra=`."""


class GenerationStats(BaseModel):
    """Of this request."""

    generated: int
    new: int = Field(description="Recorded now; the others were there before")
    collisions: int
    duration_ms: float


class GeneratedKey(BaseModel):
    success: bool = True
    event_key: str
    collision_detected: bool = Field(description="A different event has this key: an error that pages somebody")
    generation_stats: GenerationStats


class KeyOfMany(BaseModel):
    event_key: str
    collision_detected: bool


class GeneratedKeys(BaseModel):
    success: bool = True
    results: list[KeyOfMany] = Field(description="In the order of the events")
    generation_stats: GenerationStats


class KeyFigures(BaseModel):
    total_generated: int
    collisions_detected: int
    invalid_inputs: int
    cache_size: int = Field(description="What this process keeps in memory")
    collision_rate: float = Field(description="Collisions by keys")
    generation_rate: float = Field(description="Keys per second of this process' last minute")


class KeyStatistics(BaseModel):
    success: bool = True
    stats: KeyFigures


class CacheCleared(BaseModel):
    success: bool = True
    cleared: int


def figures(found: KeyStats) -> KeyStatistics:
    return KeyStatistics(
        stats=KeyFigures(
            total_generated=found.total_generated,
            collisions_detected=found.collisions_detected,
            invalid_inputs=found.invalid_inputs,
            cache_size=found.cache_size,
            collision_rate=found.collision_rate,
            generation_rate=round(found.generation_rate, 2),
        )
    )


def stats_of(made: list[RecordedKey], seconds: float) -> dict[str, Any]:
    return {
        "generated": len(made),
        "new": sum(one.is_new for one in made),
        "collisions": sum(one.collision_detected for one in made),
        "duration_ms": round(seconds * 1000, 2),
    }
