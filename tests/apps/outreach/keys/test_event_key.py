"""Event keys: golden vectors, and what holds for every identity."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.keys.event_key import READABLE_MOST, canonical, event_key, fingerprint

SENT = EventIdentity("lemlist", "campaign123", "emailSent", "a.b@x.com", "default", "activity456")

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "event-keys.md"


def golden() -> dict[EventIdentity, str]:
    """The examples of the specification, by which another implementation is checked. They never change."""
    cells = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.endswith("` |") and line.startswith(("| lemlist", "| smartlead"))
    ]
    return {
        EventIdentity(a, b, c, d, e, f or None, int(g) if g else None): key.strip("`")
        for a, b, c, d, e, f, g, key in cells
    }


GOLDEN = golden()

# Few characters, so that many are alike but for how they are cut into parts; and what the encoding itself is made of.
texts = st.text("aAbñ1:,. _", max_size=4) | st.sampled_from(["1:a,", "a1:1,", "n0:,", "\U0001f600", "x" * 60])
identities = st.builds(
    EventIdentity,
    *[texts] * 5,
    st.none() | texts,
    st.none() | st.integers(-(2**62), 2**62),
)


def told_apart(one: EventIdentity) -> tuple[object, ...]:
    """What the specification says an identity is."""
    last = ("activity", one.activity_id) if one.activity_id is not None else ("moment", one.timestamp_ms)
    return (*one[:3], one.email.lower(), one.namespace, last)


def test_the_specification_has_its_examples() -> None:
    assert len(GOLDEN) == 6
    assert GOLDEN[SENT] == "lemlist_campaign123_emailsent_activity456_0f04d22b76c441ff6783095724c3c71f"


@pytest.mark.parametrize("identity", GOLDEN)
def test_a_key_is_what_it_always_was(identity: EventIdentity) -> None:
    assert event_key(identity) == GOLDEN[identity]


@example(SENT, SENT)
@example(SENT, SENT._replace(email=SENT.email.upper()))
@given(identities, identities)
def test_two_identities_share_a_key_exactly_if_they_are_the_same(one: EventIdentity, other: EventIdentity) -> None:
    assert (event_key(one) == event_key(other)) == (told_apart(one) == told_apart(other))
    assert (canonical(one) == canonical(other)) == (told_apart(one) == told_apart(other))


@given(identities)
def test_a_key_is_short_and_plain_and_the_same_again(identity: EventIdentity) -> None:
    found = event_key(identity)
    parts = found.split("_")
    assert len(parts) == 5
    assert all(set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789") for part in parts)
    assert max(map(len, parts[:4])) <= READABLE_MOST
    assert len(parts[4]) == 32
    assert found == event_key(EventIdentity(*identity))


@given(texts, texts, texts)
def test_what_stands_where_makes_a_difference(one: str, two: str, three: str) -> None:
    moved = EventIdentity(one, two + three, "", "")
    stayed = EventIdentity(one, two, three, "")
    assert (event_key(moved) == event_key(stayed)) == (three == "")


@pytest.mark.parametrize(
    "other",
    [
        SENT._replace(email="ab@x.com"),
        SENT._replace(campaign_id="Campaign123"),
        SENT._replace(campaign_id="campaign-123"),
        SENT._replace(namespace="other"),
        SENT._replace(platform="smartlead"),
        SENT._replace(event_type="email_sent"),
        SENT._replace(activity_id=None),
        SENT._replace(activity_id=""),
        SENT._replace(activity_id=None, timestamp_ms=0),
        SENT._replace(activity_id=None, timestamp_ms=1),
        SENT._replace(activity_id="1"),
        SENT._replace(activity_id="activity456" + "x" * 10_000),
    ],
)
def test_each_part_of_the_identity_counts(other: EventIdentity) -> None:
    assert event_key(other) != event_key(SENT)


def test_capitals_of_an_address_do_not_count_and_neither_does_the_moment_of_an_activity() -> None:
    assert event_key(SENT._replace(email="A.B@X.com")) == event_key(SENT)
    assert event_key(SENT._replace(timestamp_ms=1_700_000_000_000)) == event_key(SENT)


def test_an_activity_that_is_called_like_a_moment_is_not_that_moment() -> None:
    named = SENT._replace(activity_id="1700000000000")
    then = SENT._replace(activity_id=None, timestamp_ms=1_700_000_000_000)
    assert event_key(named).rpartition("_")[0] == event_key(then).rpartition("_")[0]
    assert event_key(named) != event_key(then)


def test_the_key_shows_the_first_half_of_the_hash() -> None:
    mark = fingerprint(SENT)
    assert mark.key.endswith(mark.hash[:16].hex())
    assert len(mark.hash) == 32
