"""How fast event keys are computed, in this process and on one core, beside the way that first comes to mind.

    python -m bench.event_keys [--keys 500000] [--write-docs]

Goal: more than 200,000 keys/s. The naive way cleans each part with a regular expression and hashes JSON of them.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from bench.harness import machine, print_table, write_between

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.keys.event_key import event_key

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
_OTHER = re.compile(r"[^a-z0-9]")
_ROUNDS = 3


def identities(count: int) -> list[EventIdentity]:
    """As a sync meets them: lemlist's with an id of the activity, Smartlead's with a moment."""
    even = (
        EventIdentity(
            "lemlist",
            f"cam_{number % 200:015x}",
            "email_opened",
            f"person.{number}@example{number % 97}.com",
            "default",
            f"act_{number:017x}",
        )
        for number in range(0, count, 2)
    )
    odd = (
        EventIdentity(
            "smartlead",
            str(2_710_000 + number % 200),
            "email_replied",
            f"Person.{number}@example{number % 97}.com",
            "north",
            None,
            1_700_000_000_000 + number,
        )
        for number in range(1, count, 2)
    )
    return [*even, *odd]


def naive(one: EventIdentity) -> str:
    shown = one.activity_id or str(one.timestamp_ms)
    parts = [_OTHER.sub("", part.lower())[:40] for part in (one.platform, one.campaign_id, one.event_type, shown)]
    identity = {**one._asdict(), "email": one.email.lower()}
    return f"{'_'.join(parts)}_{sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]}"


def per_second(make: Callable[[EventIdentity], str], told: Sequence[EventIdentity]) -> float:
    """The best of three rounds: what else the machine does only takes away."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for one in told:
            make(one)
        best = min(best, time.perf_counter() - began)
    return len(told) / best


def main(keys: int, *, write_docs: bool) -> None:
    told = identities(keys)
    assert len({event_key(one) for one in told}) == keys
    ours, theirs = per_second(event_key, told), per_second(naive, told)
    caption = f"{keys:,} different events, one core, the best of {_ROUNDS} rounds; {machine()}"
    rows = [("event key", ours, ours / theirs), ("the naive way", theirs, 1.0)]
    text = print_table(caption, ["keys", "keys/s", "times as fast"], rows)
    if write_docs:
        write_between(PAGE, "event-keys", f"{caption}\n\n{text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=500_000)
    parser.add_argument("--write-docs", action="store_true")
    arguments = parser.parse_args()
    main(arguments.keys, write_docs=arguments.write_docs)
