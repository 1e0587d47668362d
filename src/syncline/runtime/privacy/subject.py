"""Whose data it is: one human being, by all the names under which this installation may know him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True)
class Subject:
    """`records` are an app's own names for what it holds of him: `{"commerce.customer": {"<store id>/<number>"}}`.

    With `is_person` it is a human being whatever he is here, so that an e-mail address leads from one app to the next;
    without it, it is one record (a customer of one store), and somebody's account with the same address is left alone.
    """

    emails: frozenset[str] = frozenset()
    """As they are compared: casefolded."""

    phones: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Under which he acted here, as the author of something. Other people may have the same."""

    user_ids: frozenset[UUID] = frozenset()
    records: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_person: bool = True

    @property
    def terms(self) -> frozenset[str]:
        """What is looked for in texts that may quote anything."""
        return self.emails | self.phones

    def known_as(
        self,
        *,
        emails: Iterable[str] = (),
        phones: Iterable[str] = (),
        names: Iterable[str] = (),
        user_ids: Iterable[UUID] = (),
        records: Mapping[str, Iterable[str]] | None = None,
    ) -> Subject:
        """The same one, with what else he is known by."""
        more = {kind: self.records.get(kind, frozenset()) | frozenset(ids) for kind, ids in (records or {}).items()}
        return replace(
            self,
            emails=self.emails | frozenset(emails),
            phones=self.phones | frozenset(phones),
            names=self.names | frozenset(names),
            user_ids=self.user_ids | frozenset(user_ids),
            records={**self.records, **{kind: ids for kind, ids in more.items() if ids}},
        )

    def numbers_only(self) -> Subject:
        """Without what tells a reader who he is: ids of rows, which mean something beside the database only."""
        return Subject(user_ids=self.user_ids, records=self.records, is_person=self.is_person)


def to_json(subject: Subject) -> str:
    plain: dict[str, Any] = {
        "emails": sorted(subject.emails),
        "phones": sorted(subject.phones),
        "names": sorted(subject.names),
        "user_ids": sorted(map(str, subject.user_ids)),
        "records": {kind: sorted(ids) for kind, ids in sorted(subject.records.items())},
        "is_person": subject.is_person,
    }
    return msgspec.json.encode(plain).decode()


def from_json(text: str) -> Subject:
    """Raises `msgspec.DecodeError`, `KeyError` for what no subject is."""
    plain = msgspec.json.decode(text)
    return Subject(
        emails=frozenset(plain["emails"]),
        phones=frozenset(plain["phones"]),
        names=frozenset(plain["names"]),
        user_ids=frozenset(map(UUID, plain["user_ids"])),
        records={kind: frozenset(ids) for kind, ids in plain["records"].items()},
        is_person=plain["is_person"],
    )
