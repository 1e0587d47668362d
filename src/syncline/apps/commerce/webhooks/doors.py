"""Which stores a shop's webhook may be for, kept in memory for a moment: asking the database for each would cost more
than storing it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from syncline.apps.commerce.stores.signatures import Recipient
from syncline.apps.commerce.webhooks.errors import TooManyStrangers
from syncline.runtime.shared_lookups import SharedLookups

KNOWN_SECONDS: Final = 30.0
UNKNOWN_SECONDS: Final = 5.0
AT_ONCE_SECONDS: Final = 1.0
"""What is younger than that is believed also by who finds that it does not fit."""

MOST_SHOPS: Final = 20_000
STRANGERS_A_SECOND: Final = 50
"""Look-ups of shops that turned out unknown. A flood of made-up names must not keep the database busy."""


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    recipients: Sequence[Recipient]


class Doors:
    """`look_up` asks the database for the recipients of a shop. For one event loop."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[Sequence[Recipient]]],
        *,
        clock: Callable[[], float] = time.monotonic,
        strangers_a_second: int = STRANGERS_A_SECOND,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._most_strangers = strangers_a_second
        self._shops: OrderedDict[str, _Known] = OrderedDict()
        self._lookups: SharedLookups[Sequence[Recipient]] = SharedLookups()
        self._strangers = 0
        self._second = 0

    async def find(self, shop_domain: str) -> Sequence[Recipient]:
        """Empty for a shop that nobody has connected. Raises `TooManyStrangers`, `DatabaseUnavailable`."""
        known = self._shops.get(shop_domain)
        if known is not None and self._clock() - known.at < (KNOWN_SECONDS if known.recipients else UNKNOWN_SECONDS):
            return known.recipients
        return await self._ask(shop_domain, is_known=known is not None and bool(known.recipients))

    async def find_again(self, shop_domain: str) -> Sequence[Recipient]:
        """For who holds a signature that fits none of what `find` gave: a secret may be new. Asks at most once a
        second for a shop, so that wrong signatures cost the database nothing."""
        known = self._shops.get(shop_domain)
        if known is not None and self._clock() - known.at < AT_ONCE_SECONDS:
            return known.recipients
        return await self._ask(shop_domain, is_known=True)

    def forget(self, shop_domain: str) -> None:
        self._shops.pop(shop_domain, None)

    async def _ask(self, shop_domain: str, *, is_known: bool) -> Sequence[Recipient]:
        if not is_known:
            self._refuse_flood()
        at = self._clock()
        recipients = await self._lookups.ask(shop_domain, lambda: self._look_up(shop_domain))
        if not recipients:
            self._strangers += 1
        self._shops[shop_domain] = _Known(at, recipients)
        self._shops.move_to_end(shop_domain)
        if len(self._shops) > MOST_SHOPS:
            self._shops.popitem(last=False)
        return recipients

    def _refuse_flood(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._second, self._strangers = second, 0
        if self._strangers >= self._most_strangers:
            raise TooManyStrangers(
                "Too many webhooks of unknown shops arrive at the moment. Send it again in a moment.",
                extra={"retry_after": 2},
            )
