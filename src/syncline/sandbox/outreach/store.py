"""The world as a vendor keeps it: campaigns, leads, mails with their present state, and events. In SQLite, so that a
million events take little memory.

An event is what truly happened, once; a mail's state is what is left of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from syncline.sandbox.outreach.timelines import Campaign, Happening, Kind, Lead, World

_SCHEMA = """
create table lead (id integer primary key autoincrement, campaign integer not null, email text not null,
  first_name text not null,
  last_name text not null, company text not null, state integer not null default 0, created_ms integer not null);
create table mail (id integer primary key autoincrement, campaign integer not null, lead integer not null,
  step integer not null,
  sent_ms integer not null, opens integer not null default 0, open_first integer, open_last integer,
  clicks integer not null default 0, click_first integer, click_last integer, reply_ms integer,
  bounced integer not null default 0, unsubscribed integer not null default 0);
create table event (id integer primary key autoincrement, at_ms integer not null, kind integer not null,
  campaign integer,
  lead integer not null, step integer not null, mail integer, is_first integer not null);
"""
_INDEXES = """
create index if not exists lead_campaign on lead (campaign);
create index if not exists lead_email on lead (email);
create index if not exists mail_campaign on mail (campaign, sent_ms);
create index if not exists mail_lead on mail (lead, step);
create index if not exists event_at on event (at_ms);
create index if not exists event_campaign on event (campaign, at_ms);
create index if not exists event_lead on event (lead);
"""
_UPDATED = "max(sent_ms, coalesce(open_last, 0), coalesce(click_last, 0), coalesce(reply_ms, 0))"
_EVENT = "e.id, e.at_ms, e.kind, e.campaign, e.lead, e.step, e.mail, e.is_first"


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    at_ms: int
    kind: Kind
    campaign: int | None
    lead: int
    step: int
    mail: int | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """One sent mail with its present state; times in milliseconds."""

    id: int
    campaign: int
    lead: int
    step: int
    sent_ms: int
    opens: int
    open_first: int | None
    open_last: int | None
    clicks: int
    click_first: int | None
    click_last: int | None
    reply_ms: int | None
    bounced: bool
    unsubscribed: bool


@dataclass(frozen=True, slots=True)
class KeptLead:
    id: int
    campaign: int
    email: str
    first_name: str
    last_name: str
    company: str
    state: Kind | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; all that are given must hold. Times are inclusive."""

    kind: Kind | None = None
    campaign: int | None = None
    lead: int | None = None
    is_first: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def clause(self) -> tuple[str, list[Any]]:
        tests = {
            "e.kind = ?": self.kind,
            "e.campaign = ?": self.campaign,
            "e.lead = ?": self.lead,
            "e.is_first = ?": self.is_first,
            "e.at_ms >= ?": self.since_ms,
            "e.at_ms <= ?": self.until_ms,
        }
        given = {test: value for test, value in tests.items() if value is not None}
        return " and ".join(given) or "true", list(given.values())


@dataclass(slots=True)
class Store:
    world: World
    path: Path | None = None
    """None: a temporary file that goes with the process."""
    campaigns: dict[int, Campaign] = field(init=False)
    _db: sqlite3.Connection = field(init=False, repr=False)
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(self.path or "", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = memory")
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)
        self._random = Random(self.world.seed)
        self.campaigns = {n: self.world.campaign(n) for n in range(1, self.world.campaigns + 1)}
        self._db.executescript(_INDEXES)

    def close(self) -> None:
        self._db.close()

    # Filling.

    def fill(self, events: int) -> None:
        """Adds exactly so many events of the world. Streams: memory does not grow with their number."""
        leads, mails = count(self._next("lead")), count(self._next("mail"))
        self._db.execute("begin")
        for batch in _batches(self.world.stream(events), 2_000):
            self._add(batch, leads, mails)
        self._db.execute("commit")

    def _add(self, batch: list[tuple[Lead, list[Happening]]], leads: Iterator[int], mails: Iterator[int]) -> None:
        lead_rows: list[tuple[Any, ...]] = []
        mail_rows: list[tuple[Any, ...]] = []
        event_rows: list[tuple[Any, ...]] = []
        for lead, told in batch:
            number = next(leads)
            sent: dict[int, Mail] = {}
            for one in told:
                if one.kind is Kind.SENT:
                    sent[one.step] = _fresh(next(mails), lead.campaign, number, one)
                _mark(sent, one)
                mail = sent.get(one.step)
                note = one.kind is Kind.ANNOTATED
                event_rows.append((
                    one.at_ms, one.kind, None if note else lead.campaign, number, one.step,
                    None if note or mail is None else mail.id, one.is_first,
                ))  # fmt: skip
            state = told[-1].kind
            names = (lead.first_name, lead.last_name, lead.company)
            lead_rows.append((number, lead.campaign, lead.email, *names, state, told[0].at_ms))
            mail_rows.extend(_row(mail) for mail in sent.values())
        self._db.executemany("insert into lead values (?, ?, ?, ?, ?, ?, ?, ?)", lead_rows)
        self._db.executemany(f"insert into mail values ({', '.join('?' * 14)})", mail_rows)
        self._db.executemany(
            "insert into event (at_ms, kind, campaign, lead, step, mail, is_first) values (?, ?, ?, ?, ?, ?, ?)",
            event_rows,
        )

    def happen(self, kind: Kind, at_ms: int, *, mail: int | None = None, campaign: int | None = None) -> Event:
        """Something new: a mail to a new lead (of `campaign`, or any), or an event of a mail (or of any). Raises
        `ValueError` for a mail there is not."""
        if kind is Kind.SENT:
            return self._send(at_ms, campaign)
        chosen = self._any_mail() if mail is None else mail
        found = self.mail(chosen)
        if found is None:
            raise ValueError(f"There is no mail {chosen}.")
        told = Happening(kind, at_ms, found.step, is_first=self._is_first(kind, found))
        marked = {found.step: found}
        _mark(marked, told)
        self._db.execute("delete from mail where id = ?", (found.id,))
        self._db.execute(f"insert into mail values ({', '.join('?' * 14)})", _row(marked[found.step]))
        self._db.execute("update lead set state = ? where id = ?", (kind, found.lead))
        return self._record(told, found.campaign, found.lead, found.id)

    def remove_lead(self, number: int, *, with_past: bool) -> None:
        """A lead there is, out of its campaign. `with_past`: its mails and events go too, and their numbers never come
        again."""
        if not with_past:
            self._db.execute("update lead set campaign = 0 where id = ?", (number,))
            return
        self._db.execute("delete from lead where id = ?", (number,))
        self._db.execute("delete from mail where lead = ?", (number,))
        self._db.execute("delete from event where lead = ?", (number,))

    def any_lead(self) -> int | None:
        """One that something happened to; None when there is none."""
        start = self._random.randrange(self._one("select max(lead) from event") + 1)
        found = self._db.execute("select min(lead) from event where lead >= ?", (start,)).fetchone()[0]
        return None if found is None else int(found)

    def _send(self, at_ms: int, campaign: int | None) -> Event:
        chosen = campaign or self._random.randrange(1, self.world.campaigns + 1)
        number = self._next("lead")
        # Beyond all that the generator makes, so that the address is nobody else's.
        lead = self.world.lead(chosen, 10_000_000 + number * 100)
        names = (lead.email, lead.first_name, lead.last_name, lead.company)
        self._db.execute("insert into lead values (?, ?, ?, ?, ?, ?, ?, ?)", (number, chosen, *names, Kind.SENT, at_ms))
        told = Happening(Kind.SENT, at_ms, 0)
        mail = _fresh(self._next("mail"), chosen, number, told)
        self._db.execute(f"insert into mail values ({', '.join('?' * 14)})", _row(mail))
        return self._record(told, chosen, number, mail.id)

    def _record(self, told: Happening, campaign: int, lead: int, mail: int) -> Event:
        values = (told.at_ms, told.kind, campaign, lead, told.step, mail, told.is_first)
        done = self._db.execute(
            "insert into event (at_ms, kind, campaign, lead, step, mail, is_first) values (?, ?, ?, ?, ?, ?, ?)", values
        )
        return Event(int(done.lastrowid or 0), told.at_ms, told.kind, campaign, lead, told.step, mail, told.is_first)

    def _any_mail(self) -> int:
        start = self._random.randrange(self._one("select max(id) from mail") + 1)
        return self._one("select min(id) from mail where id >= ?", [start])

    def _is_first(self, kind: Kind, mail: Mail) -> bool:
        before = {Kind.OPENED: mail.opens, Kind.CLICKED: mail.clicks, Kind.REPLIED: mail.reply_ms}
        return not before.get(kind)

    # Reading.

    def events(self, wanted: Wanted, offset: int = 0, limit: int = -1, *, shuffle: int | None = None) -> list[Event]:
        """Newest first. With `shuffle` those of one millisecond come in an order that changes with it."""
        where, values = wanted.clause()
        ties = "e.id desc" if shuffle is None else f"(e.id * {2_654_435_761 + shuffle * 81_006}) % 4294967291"
        rows = self._db.execute(
            f"select {_EVENT} from event e where {where} order by e.at_ms desc, {ties} limit ? offset ?",
            (*values, limit, offset),
        )
        return [_event(row) for row in rows]

    def all_events(self) -> Iterator[tuple[Event, str]]:
        """Every event with its lead's address, oldest number first; for the truth, not for a vendor's answer."""
        after = 0
        while True:
            rows = self._db.execute(
                f"select {_EVENT}, l.email from event e join lead l on l.id = e.lead where e.id > ? order by e.id"
                " limit 2000",
                (after,),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                yield _event(row), row[8]
            after = rows[-1][0]

    def mails(
        self,
        campaign: int,
        tests: Sequence[tuple[str, Any]] = (),
        *,
        offset: int = 0,
        limit: int = -1,
        newest_first: bool = True,
        by_update: bool = False,
    ) -> list[Mail]:
        """Of one campaign; `tests` are conditions on columns with their values, by the caller's own words. `by_update`
        goes by the last thing that happened to a mail in place of its sending."""
        order = "desc" if newest_first else "asc"
        moment = _UPDATED if by_update else "sent_ms"
        where, values = _where(campaign, tests)
        rows = self._db.execute(
            f"select * from mail where {where} order by {moment} {order}, id {order} limit ? offset ?",
            (*values, limit, offset),
        )
        return [_mail(row) for row in rows]

    def count_mails(self, campaign: int, tests: Sequence[tuple[str, Any]] = ()) -> int:
        where, values = _where(campaign, tests)
        return self._one(f"select count(*) from mail where {where}", values)

    def mail(self, number: int) -> Mail | None:
        row = self._db.execute("select * from mail where id = ?", (number,)).fetchone()
        return None if row is None else _mail(row)

    def mails_of(self, lead: int) -> list[Mail]:
        return [_mail(row) for row in self._db.execute("select * from mail where lead = ? order by step", (lead,))]

    def leads_active(self, since_ms: int, until_ms: int, offset: int, limit: int) -> list[int]:
        """Leads with an event within, by number."""
        rows = self._db.execute(
            "select distinct lead from event where at_ms between ? and ? and campaign is not null order by lead"
            " limit ? offset ?",
            (since_ms, until_ms, limit, offset),
        )
        return [row[0] for row in rows]

    def lead(self, number: int) -> KeptLead | None:
        return self.leads([number]).get(number)

    def leads(self, numbers: Iterable[int]) -> dict[int, KeptLead]:
        wanted = list(set(numbers))
        rows = self._db.execute(f"select * from lead where id in ({', '.join('?' * len(wanted))})", wanted)
        return {row[0]: _lead(row) for row in rows}

    def leads_of(self, campaign: int, offset: int = 0, limit: int = -1) -> list[KeptLead]:
        rows = self._db.execute(
            "select * from lead where campaign = ? order by id limit ? offset ?", (campaign, limit, offset)
        )
        return [_lead(row) for row in rows]

    def count_leads(self, campaign: int) -> int:
        return self._one("select count(*) from lead where campaign = ?", [campaign])

    def counts(self) -> dict[str, Any]:
        """How many there are of everything: `first` counts what can be told apart where only first times are shown."""
        kinds = self._db.execute(
            "select kind, count(*), sum(is_first) from event group by kind order by kind"
        ).fetchall()
        return {
            "campaigns": len(self.campaigns),
            "leads": self._one("select count(*) from lead"),
            "mails": self._one("select count(*) from mail"),
            "events": sum(row[1] for row in kinds),
            "first": sum(row[2] for row in kinds),
            "by_kind": {Kind(row[0]).name.lower(): row[1] for row in kinds},
        }

    def _next(self, table: str) -> int:
        return self._one("select seq from sqlite_sequence where name = ?", [table]) + 1

    def _one(self, query: str, values: Sequence[Any] = ()) -> int:
        row = self._db.execute(query, values).fetchone()
        return int((row and row[0]) or 0)


def _fresh(number: int, campaign: int, lead: int, told: Happening) -> Mail:
    return Mail(number, campaign, lead, told.step, told.at_ms, 0, None, None, 0, None, None, None, False, False)


def _mark(sent: dict[int, Mail], told: Happening) -> None:
    """Writes into the mails of one lead what a happening leaves there."""
    mail = sent.get(told.step)
    if mail is None:
        return
    at = told.at_ms
    match told.kind:
        case Kind.OPENED:
            first = mail.open_first or at
            sent[told.step] = replace(mail, opens=mail.opens + 1, open_first=first, open_last=at)
        case Kind.CLICKED:
            first = mail.click_first or at
            sent[told.step] = replace(mail, clicks=mail.clicks + 1, click_first=first, click_last=at)
        case Kind.REPLIED:
            for step in (told.step, *told.shows_on):
                if step in sent:
                    sent[step] = replace(sent[step], reply_ms=sent[step].reply_ms or at)
        case Kind.BOUNCED:
            sent[told.step] = replace(mail, bounced=True)
        case Kind.UNSUBSCRIBED:
            sent[told.step] = replace(mail, unsubscribed=True)


def _row(mail: Mail) -> tuple[Any, ...]:
    return tuple(getattr(mail, name) for name in Mail.__slots__)


def _mail(row: tuple[Any, ...]) -> Mail:
    told = dict(zip(Mail.__slots__, row, strict=True))
    return Mail(**{**told, "bounced": bool(told["bounced"]), "unsubscribed": bool(told["unsubscribed"])})


def _lead(row: tuple[Any, ...]) -> KeptLead:
    told = dict(zip(KeptLead.__slots__, row, strict=True))
    return KeptLead(**{**told, "state": Kind(told["state"]) if told["state"] else None})


def _event(row: tuple[Any, ...]) -> Event:
    told = dict(zip(Event.__slots__, row, strict=False))
    return Event(**{**told, "kind": Kind(told["kind"]), "is_first": bool(told["is_first"])})


def _where(campaign: int, tests: Sequence[tuple[str, Any]]) -> tuple[str, list[Any]]:
    clauses = ["campaign = ?", *(test for test, _ in tests)]
    return " and ".join(clauses), [campaign, *(value for _, value in tests if value is not None)]


def _batches(source: Iterator[tuple[Lead, list[Happening]]], size: int) -> Iterator[list[tuple[Lead, list[Happening]]]]:
    batch = []
    for one in source:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
