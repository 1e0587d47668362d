"""What outreach holds of a person: found, handed out, forgotten, and of nobody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.service import record
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.runtime.db.session import WriteSession
from syncline.runtime.privacy.subject import Subject

SAM = Subject(emails=frozenset({"sam@example.com"}), names=frozenset({"Sam"}))


def sent(email: str, number: int = 0) -> Event:
    identity = EventIdentity("lemlist", "cam", "email_sent", email, "default", f"act_{number}")
    return Event(identity, EventSource.SYNC, properties={"firstName": email.partition("@")[0]})


async def exported(session: WriteSession) -> list[tuple[str, Any]]:
    return [(one.kind, dict(one.values)) async for one in PERSONAL_DATA.export(session, SAM)]


async def test_all_that_is_held_is_handed_out(session: WriteSession) -> None:
    await record(session, [sent("Sam@example.com"), sent("ada@example.com")])
    await namespaces.ensure(session, "north", made_by="Sam")
    found = await exported(session)
    assert sorted(kind for kind, _ in found if kind in {"event", "authored_namespace"}) == [
        "authored_namespace",
        "event",
    ]
    (event,) = (values for kind, values in found if kind == "event")
    assert (event["email"], event["properties"]) == ("sam@example.com", {"firstName": "Sam"})


async def test_an_erasure_leaves_keys_and_nothing_of_him_and_may_be_repeated(session: WriteSession) -> None:
    (his, hers) = await record(session, [sent("sam@example.com"), sent("ada@example.com")])
    await namespaces.ensure(session, "north", made_by="Sam")
    first = await PERSONAL_DATA.erase(session, SAM, keep_out=True)
    again = await PERSONAL_DATA.erase(session, SAM, keep_out=True)
    told = ("event", "authored_namespace")
    assert [first[name] for name in told] == [1, 1]
    assert [again[name] for name in told] == [0, 0]
    rows = (await session.execute(text("SELECT event_key, email, properties FROM outreach.event_source"))).all()
    assert {row.event_key: (row.email, row.properties) for row in rows} == {
        his.event_key: (None, None),
        hers.event_key: ("ada@example.com", {"firstName": "ada"}),
    }
    assert not {"event", "authored_namespace"} & {kind for kind, _ in await exported(session)}


async def test_without_keeping_out_he_may_come_again(session: WriteSession) -> None:
    await PERSONAL_DATA.erase(session, SAM, keep_out=False)
    await record(session, [sent("sam@example.com", 7)])
    assert "event" in {kind for kind, _ in await exported(session)}


async def test_every_count_of_an_erasure_is_a_holding(session: WriteSession) -> None:
    counts = await PERSONAL_DATA.erase(session, SAM, keep_out=True)
    assert set(counts) <= {one.name for one in PERSONAL_DATA.holdings}
