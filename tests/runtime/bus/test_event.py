"""Names and the JSON of events, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec
import pytest

from syncline.kernel.ids import new_id
from syncline.runtime.bus.event import decode, encode, name_of


class Outcome(StrEnum):
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Row:
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFinished:
    event_name: ClassVar[str] = "trial.pull_finished"
    run_id: UUID
    at: datetime
    outcome: Outcome
    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    note: str | None = None


EVENT = PullFinished(
    run_id=new_id(),
    at=datetime(2026, 11, 22, tzinfo=UTC),
    outcome=Outcome.GOOD,
    rows=(Row(Decimal("12.50")),),
    counts={"a": 1},
    note="é\0",
)


def test_event_comes_back_as_it_was() -> None:
    assert decode(encode(EVENT), PullFinished) == EVENT


def test_field_of_a_newer_release_is_ignored() -> None:
    newer = msgspec.json.decode(encode(EVENT)) | {"added": 1}
    assert decode(msgspec.json.encode(newer), PullFinished) == EVENT


def test_field_that_is_missing_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="run_id"):
        decode(b"{}", PullFinished)


def _class_in(module: str, name: str) -> type:
    return type(name, (), {"__module__": module})


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("syncline.apps.commerce.contract", "PullFinished", "commerce.pull_finished"),
        ("syncline.apps.learning.contract.events", "XAPIStatementStored", "learning.xapi_statement_stored"),
        ("syncline.apps.outreach.contract", "Step2Sent", "outreach.step2_sent"),
    ],
)
def test_name_comes_from_app_and_class(module: str, name: str, expected: str) -> None:
    assert name_of(_class_in(module, name)) == expected


def test_own_name_wins() -> None:
    assert name_of(PullFinished) == "trial.pull_finished"


def test_subclass_does_not_inherit_a_name() -> None:
    child = type("Child", (PullFinished,), {"__module__": "syncline.apps.commerce.contract"})
    assert name_of(child) == "commerce.child"


def test_class_outside_an_app_needs_a_name() -> None:
    with pytest.raises(ValueError, match="event_name"):
        name_of(_class_in("elsewhere", "Thing"))
