"""What verification finds, without a database: a chain is made, one thing is done to it, and it is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.kernel.tenant import TenantId
from syncline.runtime.audit.entry import ChainEnd, Entry, StoredEntry, beginning, canonical, hash_of, parse
from syncline.runtime.audit.verification import Finding, Tampering, Verification, Verifier

TENANT = TenantId(UUID(int=7))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def entry(number: int) -> Entry:
    return Entry(
        number=number,
        at=NOON + timedelta(seconds=number),
        actor=f"actor {number % 3}",
        role="owner",
        method="key",
        user_id=None,
        action="POST /api/keys",
        subject=f"/api/keys/{number}",
        outcome="done",
        address="203.0.113.7",
        correlation_id=f"c{number}",
        after={"price": 12.5, "name": "ü \0"},
    )


def stored(one: Entry, previous: bytes) -> StoredEntry:
    content = canonical(one)
    return StoredEntry(
        number=one.number,
        at=one.at,
        actor=one.actor,
        action=one.action,
        subject=one.subject,
        outcome=one.outcome,
        correlation_id=one.correlation_id,
        content=content,
        previous=previous,
        hash=hash_of(previous, content),
    )


def chain(length: int) -> list[StoredEntry]:
    rows, previous = list[StoredEntry](), beginning(TENANT)
    for number in range(1, length + 1):
        rows.append(stored(entry(number), previous))
        previous = rows[-1].hash
    return rows


def end_of(rows: Sequence[StoredEntry]) -> ChainEnd:
    return ChainEnd(rows[-1].number, rows[-1].hash)


def look(rows: Sequence[StoredEntry], end: ChainEnd | None, expected: ChainEnd | None = None) -> Verification:
    verifier = Verifier(TENANT, expected)
    for row in rows:
        verifier.see(row)
    return verifier.finish(end)


def changed(number: int) -> tuple[Finding, ...]:
    return (Finding(Tampering.CHANGED, number, number),)


def forged(row: StoredEntry, **values: object) -> StoredEntry:
    """The row with other content, and a hash that fits it."""
    body = json.loads(row.content) | values
    content = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return replace(row, content=content, hash=hash_of(row.previous, content))


lengths = st.integers(1, 12)
places = st.integers(0, 10_000)


@given(lengths)
def test_an_untouched_chain_is_whole(length: int) -> None:
    rows = chain(length)
    assert look(rows, end_of(rows)) == Verification(length, end_of(rows), ())


def test_an_empty_trail_is_whole() -> None:
    assert look([], None).is_whole


@given(
    lengths,
    places,
    st.sampled_from(
        [
            {"actor": "somebody else"},
            {"action": "GET /api/keys"},
            {"subject": "/elsewhere"},
            {"outcome": "403"},
            {"correlation_id": None},
            {"at": NOON},
            {"previous": b"x" * 32},
            {"hash": b"x" * 32},
            {"content": "{}"},
            {"content": "not even json"},
        ]
    ),
)
def test_a_changed_column_names_its_row(length: int, place: int, values: dict[str, object]) -> None:
    rows = chain(length)
    end, place = end_of(rows), place % length
    rows[place] = replace(rows[place], **values)  # type: ignore[arg-type]
    assert changed(place + 1)[0] in look(rows, end).findings


@given(lengths, places)
def test_changed_content_names_its_row_and_no_other(length: int, place: int) -> None:
    rows = chain(length)
    end, place = end_of(rows), place % length
    rows[place] = replace(rows[place], content=rows[place].content.replace("12.5", "0.5"))
    assert look(rows, end).findings == changed(place + 1)


@given(lengths, places)
def test_a_row_forged_with_a_hash_that_fits_is_named_all_the_same(length: int, place: int) -> None:
    rows = chain(length)
    end, place = end_of(rows), place % length
    rows[place] = forged(rows[place], details={"permission": "none"})
    assert look(rows, end).findings == changed(place + 1)


@given(lengths, places)
def test_a_removed_row_is_named(length: int, place: int) -> None:
    rows = chain(length)
    end, place = end_of(rows), place % length
    del rows[place]
    assert look(rows, end).findings == (Finding(Tampering.REMOVED, place + 1, place + 1),)


@given(st.integers(3, 12), st.data())
def test_a_removed_stretch_is_named_as_one(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, length - 1))
    last = data.draw(st.integers(first + 1, length))
    rows = chain(length)
    end = end_of(rows)
    del rows[first - 1 : last]
    found = look(rows, end).findings
    assert found == (Finding(Tampering.REMOVED, first, last),)
    assert found[0].sentence == f"Entries {first} to {last} were removed."


@given(lengths)
def test_a_row_put_in_at_the_end_is_named(length: int) -> None:
    rows = chain(length)
    end = end_of(rows)
    rows.append(stored(entry(length + 1), end.hash))
    assert look(rows, end).findings == (Finding(Tampering.INSERTED, length + 1, length + 1),)


@given(lengths, st.integers(-5, 0))
def test_a_row_put_in_before_the_first_is_named(length: int, number: int) -> None:
    rows = chain(length)
    assert look([stored(entry(number), b""), *rows], end_of(rows)).findings == (
        Finding(Tampering.INSERTED, number, number),
    )


@given(lengths, places)
def test_a_row_put_in_for_a_removed_one_is_named(length: int, place: int) -> None:
    rows = chain(length)
    end, place = end_of(rows), place % length
    rows[place] = stored(replace(entry(place + 1), actor="a forger"), rows[place].previous)
    assert look(rows, end).findings == changed(place + 1)


@given(lengths)
def test_an_end_that_was_changed_or_removed_is_seen(length: int) -> None:
    rows = chain(length)
    assert look(rows, ChainEnd(length, b"x" * 32)).findings == changed(length)
    assert not look(rows, None).is_whole


@given(lengths, places)
def test_a_chain_made_anew_from_somewhere_on_differs_from_the_end_that_was_noted(length: int, place: int) -> None:
    rows = chain(length)
    noted, place = end_of(rows), place % length
    previous = rows[place].previous
    for at in range(place, length):
        rows[at] = stored(replace(entry(at + 1), actor="a forger"), previous)
        previous = rows[at].hash
    assert look(rows, end_of(rows)).is_whole
    assert look(rows, end_of(rows), expected=noted).findings == changed(length)


def test_a_chain_cut_short_together_with_its_end_lacks_what_was_noted() -> None:
    rows = chain(5)
    noted = end_of(rows)
    assert look(rows[:3], end_of(rows[:3]), expected=noted).findings == (Finding(Tampering.REMOVED, 4, 5),)


def test_another_tenants_chain_does_not_pass_for_ones_own() -> None:
    rows = chain(2)
    verifier = Verifier(TenantId(UUID(int=8)))
    for row in rows:
        verifier.see(row)
    assert not verifier.finish(end_of(rows)).is_whole


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_an_entry_reads_back_as_it_was_written(value: object) -> None:
    one = replace(entry(3), details={"value": value}, user_id=UUID(int=5))
    assert parse(canonical(one)) == one
    assert canonical(parse(canonical(one))) == canonical(one)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"number":1}', "null"])
def test_what_is_no_entry_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(content)
