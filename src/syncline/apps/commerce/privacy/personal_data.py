"""`PersonalData` of commerce."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from uuid import UUID

from syncline.apps.commerce.compliance import repository as requests
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.redaction import empty_with_all, hold_loads
from syncline.apps.commerce.privacy import repository
from syncline.apps.commerce.privacy.retention import RULES
from syncline.apps.commerce.stores import repository as stores
from syncline.apps.commerce.webhooks import erasing
from syncline.kernel import clock
from syncline.kernel.errors import NotFound
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import Counts, Holding, Record, RetentionRule
from syncline.runtime.privacy.subject import Subject

NAMED, CUSTOMER, ORDER = "customer", "commerce.customer", "commerce.order"
"""Records as people name them (`<store>/<number>`), and as this app does (`<store id>/<number>`)."""

HOLDINGS = (
    Holding(
        "customer",
        "A customer of a store: name, address, telephone, note, tags",
        "emptied; number, language, dates and sums stay",
    ),
    Holding("address", "His postal addresses", "removed"),
    Holding("customer_metafield", "Metafields of the customer", "values emptied; names and types stay"),
    Holding(
        "order",
        "His orders: e-mail, note, tags, city and postal code of delivery",
        "emptied of these; lines, amounts, country and province stay for the books",
    ),
    Holding("order_line", "What he bought", "stays: with the person it says nothing of anybody"),
    Holding("refund", "Refunds and their notes", "notes removed, amounts stay"),
    Holding("refund_line", "What was given back", "stays: with the person it says nothing of anybody"),
    Holding("order_metafield", "Metafields of his orders", "values emptied; names and types stay"),
    Holding("fulfillment", "Parcels and their tracking numbers", "tracking removed"),
    Holding("transaction", "Amounts paid and by which gateway; no payment data", "stays, for the books"),
    Holding("quoted", "Texts that quote his address: changes, notes, errors, metafields", "his addresses taken out"),
    Holding("privacy_request", "That Shopify asked for his data or its erasure: numbers only", "stays, as the proof"),
    Holding("webhook", "Webhooks about him, his orders or that quote his address", "what they carried is removed"),
    Holding(
        "authored",
        "His name on changes, reviews, bulk operations, pulls, pushes and schedules",
        "becomes “an erased person”",
    ),
)
_Key = tuple[UUID, int]


class CommerceData:
    @property
    def holdings(self) -> Sequence[Holding]:
        return HOLDINGS

    @property
    def rules(self) -> Sequence[RetentionRule]:
        return RULES

    async def identify(self, session: Session, subject: Subject) -> Subject:
        """The customers with his address, in every store; or the one that was named, and what he is known by."""
        numbers = {*_keys(subject, CUSTOMER), *await _of_named(session, subject.records.get(NAMED, frozenset()))}
        emails = subject.emails if subject.is_person else frozenset()
        known = await repository.list_customers(session, emails=emails, numbers=numbers)
        numbers |= {(one.store_id, one.number) for one in known}
        found = subject.known_as(
            emails=[one.email.casefold() for one in known if one.email],
            phones=[one.phone for one in known if one.phone],
        )
        orders = await repository.list_orders(
            session,
            emails=found.emails,
            customers=numbers,
            numbers=_keys(subject, ORDER),
        )
        if not subject.is_person:
            own = {store_id for store_id, _ in numbers}
            orders = [key for key in orders if key[0] in own]
        names = {row.store.id: row.store.name for row in await stores.list_all(session)}
        shown = [f"{names[store_id]}/{number}" for store_id, number in numbers if store_id in names]
        return found.known_as(records={CUSTOMER: _texts(numbers), ORDER: _texts(orders), NAMED: shown})

    async def objections(self, session: Session, subject: Subject) -> Sequence[str]:
        del session, subject
        return ()

    async def export(self, session: Session, subject: Subject) -> AsyncIterator[Record]:
        customers, orders = _keys(subject, CUSTOMER), _keys(subject, ORDER)
        async for kind, row in repository.read_records(session, customers=customers, orders=orders):
            yield Record(kind, row)
        for one in await requests.list_of_customers(session, sorted(customers)):
            yield Record(
                "privacy_request", {"topic": one.topic.value, "received_at": one.received_at, "status": one.status}
            )
        async for table, row in repository.read_quotes(session, subject.terms):
            yield Record("quoted", {"table": table, **row})
        his = {"customer": customers, "order": orders}
        async for row in erasing.read_naming(session, terms=subject.terms, records=his):
            yield Record("webhook", row)
        for table, column, count in await repository.list_authored(session, subject.names):
            yield Record("authored", {"table": table, "column": column, "rows": count})

    async def erase(self, session: WriteSession, subject: Subject, *, keep_out: bool) -> Counts:
        counts, now = Counter[str](), clock.now()
        by_store = _by_store(_keys(subject, CUSTOMER), _keys(subject, ORDER))
        for store_id in sorted(by_store):
            await hold_loads(session, store_id)
            for kind, numbers in by_store[store_id].items():
                since = now if keep_out else None
                emptied = await empty_with_all(session, store_id, KINDS[kind], numbers, kept_out_from=since)
                counts.update(emptied)
        his = {"customer": _keys(subject, CUSTOMER), "order": _keys(subject, ORDER)}
        counts["webhook"] = await erasing.erase_naming(session, terms=subject.terms, records=his)
        counts["quoted"] = await repository.scrub_quotes(session, subject.terms)
        counts["authored"] = await repository.anonymise_authored(session, subject.names)
        return counts


async def _of_named(session: Session, named: Collection[str]) -> set[_Key]:
    """Raises `NotFound` for a store that is not there."""
    keys: set[_Key] = set()
    for one in named:
        name, _, number = one.rpartition("/")
        row = await stores.find_by_name(session, name)
        if row is None:
            raise NotFound(f"There is no store “{name}”. See `syncline stores list`.")
        keys.add((row.store.id, int(number)))
    return keys


def _keys(subject: Subject, kind: str) -> set[_Key]:
    pairs = (one.split("/") for one in subject.records.get(kind, frozenset()))
    return {(UUID(store_id), int(number)) for store_id, number in pairs}


def _texts(keys: Iterable[_Key]) -> list[str]:
    return [f"{store_id}/{number}" for store_id, number in keys]


def _by_store(customers: Collection[_Key], orders: Collection[_Key]) -> dict[UUID, dict[str, set[int]]]:
    """Store -> kind -> numbers."""
    found: dict[UUID, dict[str, set[int]]] = {}
    for kind, keys in (("customer", customers), ("order", orders)):
        for store_id, number in keys:
            found.setdefault(store_id, {}).setdefault(kind, set()).add(number)
    return found


PERSONAL_DATA = CommerceData()
