from __future__ import annotations

from datetime import timedelta

import pytest

from syncline.runtime.limits.policy import POLICIES, Counts, Rate, WhenLost, parse_rate, with_settings


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("300/15min", Rate(300, timedelta(minutes=15))),
        ("30/h burst 15", Rate(30, timedelta(hours=1), 15)),
        (" 1000 / min ", Rate(1000, timedelta(minutes=1))),
        ("5/d", Rate(5, timedelta(days=1))),
        ("2/10s burst 1", Rate(2, timedelta(seconds=10), 1)),
        ("off", None),
    ],
)
def test_a_limit_is_read_as_it_is_written(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "300", "300/", "300/15", "x/min", "-3/min", "3/min burst", "0/min", "3/0s", "3/week"]
)
def test_what_is_no_limit_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"300/15min|1 or more"):
        parse_rate(text)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_rate_is_written_as_it_is_read(policy: object) -> None:
    rate = getattr(policy, "rate", None)
    assert parse_rate(str(rate)) == rate


def test_the_defaults_are_those_that_were_promised() -> None:
    told = {policy.name: (str(policy.rate), policy.counts) for policy in POLICIES}
    assert told["general:anonymous"] == ("300/15min", Counts.ADDRESS)
    assert told["general:signed-in"] == ("6000/15min", Counts.CALLER)
    assert told["sign-in"] == ("30/15min", Counts.ADDRESS)
    assert told["full-sync:execute"][0] == "30/h burst 15"
    assert told["event-keys:generate"][0] == "1000/min burst 50"


def test_only_signing_in_is_closed_while_counts_are_out_of_reach() -> None:
    assert [policy.name for policy in POLICIES if policy.when_lost is WhenLost.CLOSED] == ["sign-in"]


def test_the_operator_changes_a_limit_by_its_name() -> None:
    found = with_settings({"sign-in": "5/min", "general:anonymous": "off"})
    assert found["sign-in"].rate == Rate(5, timedelta(minutes=1))
    assert found["sign-in"].counts is Counts.ADDRESS
    assert found["general:anonymous"].rate is None
    assert found["general:signed-in"].rate == Rate(6000, timedelta(minutes=15))


def test_a_limit_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"no limit “sing-in”.*general:anonymous"):
        with_settings({"sing-in": "5/min"})
