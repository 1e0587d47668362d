"""What happens to each lead, as a pure function of a seed: the same seed tells the same story, in any order of asking.

People are at work on weekdays, open a mail minutes or days after it came and some of them months later, open again,
click only what they opened, and stop hearing from us when they answered, bounced or unsubscribed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import exp
from random import Random

from syncline.sandbox.outreach import words

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATE_FROM = 21 * DAY
ZONES = (0, 60, 120, -300, -480, 330)
"""Minutes east of Greenwich."""


class Kind(IntEnum):
    SENT = 1
    OPENED = 2
    CLICKED = 3
    REPLIED = 4
    BOUNCED = 5
    UNSUBSCRIBED = 6
    FAILED = 7
    ANNOTATED = 8
    """A note of a colleague: belongs to no campaign and no mail."""


@dataclass(frozen=True, slots=True)
class Campaign:
    number: int
    name: str
    steps: int
    opened_ms: int
    zone: int
    is_tracked: bool
    """Without tracking nobody learns of opens and clicks."""
    is_running: bool


@dataclass(frozen=True, slots=True)
class Lead:
    campaign: int
    index: int
    email: str
    first_name: str
    last_name: str
    company: str


@dataclass(frozen=True, slots=True)
class Happening:
    kind: Kind
    at_ms: int
    step: int
    is_first: bool = True
    shows_on: tuple[int, ...] = ()
    """Of a reply: other steps whose mails the vendor marks as answered too."""


@dataclass(frozen=True, slots=True)
class World:
    seed: int
    campaigns: int
    now_ms: int
    days: int = 365
    """How far back it goes."""
    has_notes: bool = False
    """Whether failures and notes happen, which only lemlist tells of."""

    def campaign(self, number: int) -> Campaign:
        random = Random(f"{self.seed}/campaign/{number}")
        name = f"{random.choice(words.TOPICS)} {random.choice(words.REGIONS)} {number}{random.choice(words.MARKS)}"
        opened = self.now_ms - random.randrange(int(self.days * 0.2), self.days) * DAY
        return Campaign(
            number=number,
            name=name,
            steps=random.randrange(2, 6),
            opened_ms=opened,
            zone=random.choice(ZONES),
            is_tracked=random.random() >= 0.1,
            is_running=random.random() < 0.7,
        )

    def lead(self, campaign: int, index: int) -> Lead:
        """Every fiftieth writes with a dot where another has none, and every seventieth with capitals; every tenth is
        in the next campaign too, under the same address."""
        source = campaign - 1 if index % 10 == 9 and campaign > 1 else campaign
        random = Random((self.seed * 1_000_003 + source) * 1_000_003 + index)
        first, last = random.choice(words.FIRST), random.choice(words.LAST)
        at = random.randrange(len(words.DOMAINS))
        local = _ascii(f"{first}.{last}") + f".{source}x{index}"
        if index % 50 in {1, 2}:
            at = 0
            local = f"pair{source}x{index // 50}" if index % 50 == 1 else f"pa.ir{source}x{index // 50}"
        if index % 70 == 3:
            local = local.title()
        first_name = f"{first} " if index % 40 == 5 else first
        return Lead(campaign, index, f"{local}@{words.DOMAINS[at]}", first_name, last, words.COMPANIES[at])

    def timeline(self, campaign: Campaign, index: int) -> list[Happening]:
        """All that happened until now, oldest first."""
        random = Random((self.seed * 7_000_003 + campaign.number) * 7_000_003 + index)
        told = [one for one in self._story(random, campaign) if one.at_ms <= self.now_ms]
        told.sort(key=lambda one: (one.at_ms, one.kind, one.step))
        return told

    def stream(self, events: int) -> Iterator[tuple[Lead, list[Happening]]]:
        """Leads with their happenings, campaign by campaign in turn, until there are exactly so many."""
        if events and not self.campaigns:
            raise ValueError("Events need at least one campaign.")
        campaigns = [self.campaign(number) for number in range(1, self.campaigns + 1)]
        left, index = events, 0
        while left:
            for campaign in campaigns:
                told = self.timeline(campaign, index)[:left]
                if not told:
                    continue
                left -= len(told)
                yield self.lead(campaign.number, index), told
                if not left:
                    return
            index += 1

    def _story(self, random: Random, campaign: Campaign) -> Iterator[Happening]:
        span = max(DAY, self.now_ms - campaign.opened_ms - 2 * DAY)
        at = campaign.opened_ms + random.randrange(span)
        sent: list[int] = []
        for step in range(campaign.steps):
            at = _at_work(at, campaign.zone, random)
            if self.has_notes and random.random() < 0.005:
                yield Happening(Kind.FAILED, at, step)
                return
            yield Happening(Kind.SENT, at, step)
            sent.append(step)
            if random.random() < 0.02:
                yield Happening(Kind.BOUNCED, at + random.randrange(MINUTE, 3 * HOUR), step)
                return
            end = yield from self._reading(random, campaign, at, step, sent)
            if end:
                return
            at += random.randrange(2, 6) * DAY
        if self.has_notes and random.random() < 0.05:
            yield Happening(Kind.ANNOTATED, at, 0)

    def _reading(
        self, random: Random, campaign: Campaign, sent_ms: int, step: int, sent: list[int]
    ) -> Generator[Happening, None, bool]:
        """Gives back whether the sequence ends here."""
        if random.random() >= 0.55:
            return False
        is_late = random.random() < 0.03
        opened = sent_ms + (random.randrange(LATE_FROM, 200 * DAY) if is_late else _patience(random))
        if campaign.is_tracked:
            yield Happening(Kind.OPENED, opened, step)
            again = opened
            while random.random() < 0.3:
                again += random.randrange(MINUTE, 2 * DAY)
                yield Happening(Kind.OPENED, again, step, is_first=False)
            if random.random() < 0.2:
                # One in three clicks is told with the very millisecond of its open.
                at = opened if random.random() < 0.33 else opened + random.randrange(1_000, HOUR)
                yield Happening(Kind.CLICKED, at, step)
        chance = random.random()
        if chance < 0.06:
            others = tuple(one for one in sent if one != step) if random.random() < 0.5 else ()
            yield Happening(Kind.REPLIED, opened + random.randrange(MINUTE, DAY), step, shows_on=others)
            return True
        if chance < 0.075:
            yield Happening(Kind.UNSUBSCRIBED, opened + random.randrange(10_000, HOUR), step)
            return True
        return False


def _patience(random: Random) -> int:
    """Mostly within hours, sometimes days: a long tail."""
    return min(LATE_FROM, round(MINUTE * exp(random.gauss(4.2, 1.8))) + 3_000)


def _at_work(at_ms: int, zone: int, random: Random) -> int:
    """The first moment from then on, on a weekday between nine and five where the campaign is."""
    local = at_ms + zone * MINUTE
    days, into = divmod(local, DAY)
    if into > 17 * HOUR:
        days, into = days + 1, 0
    weekday = (days + 3) % 7  # the first of January 1970 was a Thursday
    if weekday > 4:
        days, into = days + 7 - weekday, 0
    if into < 9 * HOUR:
        into = 9 * HOUR + random.randrange(8 * HOUR)
    return days * DAY + into - zone * MINUTE


def _ascii(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isascii() and (letter.isalnum() or letter == "."))
