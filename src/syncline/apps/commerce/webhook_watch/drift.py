"""What a store sends against what it is to send. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncline.connectors.shopify.subscriptions import Subscription


@dataclass(slots=True)
class Drift:
    """`kept` is as it should be; `missing` is to be made, of which `dropped` was there before; `moved` sends to an
    older address of ours; `extra` is to be deleted: a second one of ours for the same topic, or one not wanted."""

    kept: dict[str, Subscription] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    moved: dict[str, Subscription] = field(default_factory=dict)
    extra: list[Subscription] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        return not (self.missing or self.moved or self.extra)


def compare(
    wanted: Iterable[str], known: Mapping[str, int | None], address: str, actual: Iterable[Subscription]
) -> Drift:
    """`known` are the numbers Shopify gave us, by topic. A subscription is ours when it has such a number or our
    address; all others are somebody else's and are left alone."""
    found = Drift()
    numbers = {number for number in known.values() if number is not None}
    ours: dict[str, list[Subscription]] = {}
    for one in actual:
        if one.id in numbers or one.address == address:
            ours.setdefault(one.topic, []).append(one)
    topics = list(dict.fromkeys(wanted))
    for topic in topics:
        mine = sorted(ours.pop(topic, []), key=lambda one: (one.address != address or one.filter is not None, one.id))
        if not mine:
            found.missing.append(topic)
            if known.get(topic) is not None:
                found.dropped.append(topic)
            continue
        target = found.kept if mine[0].address == address else found.moved
        target[topic] = mine[0]
        found.extra += mine[1:]
    found.extra += [one for left in ours.values() for one in left]
    return found
