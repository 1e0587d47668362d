"""What outreach holds of a person: found, handed out, forgotten, and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, text

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.service import record
from syncline.apps.outreach.happenings.activities import Happening
from syncline.apps.outreach.happenings.storing import meet_people, store
from syncline.apps.outreach.keys.event_key import event_key
from syncline.apps.outreach.namespaces import service as namespaces
from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.apps.outreach.sync_contract import Platform
from syncline.apps.outreach.webhooks.models import webhook
from syncline.kernel.email_address import email_key
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import WriteSession
from syncline.runtime.privacy.subject import Subject

NOW = datetime(2026, 11, 1, tzinfo=UTC)
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


SHARP, SHARP_IN_CAPITALS, DOTTED = "straße@example.com", "STRASSE@example.com", "İpek@example.com"
SPELLINGS = [
    (SHARP, SHARP_IN_CAPITALS),
    (SHARP_IN_CAPITALS, SHARP),
    ("STRAẞE@example.com", SHARP),
    (DOTTED, DOTTED.lower()),
    (DOTTED, "I\u0307pek@example.com"),
    ("ΟΔΟΣ@example.com", "οδος@example.com"),
    ("jose\u0301@example.com", "jos\u00e9@example.com"),
]


@pytest.mark.parametrize(("told", "asked"), SPELLINGS)
async def test_an_address_is_found_and_kept_out_in_whatever_spelling(
    session: WriteSession, told: str, asked: str
) -> None:
    whose = Subject(emails=frozenset({email_key(asked)}))
    there = Happening(Platform.LEMLIST, "cam", "email_sent", told.lower(), NOW, "act_1", first_name="Whose")
    await put(session, there, from_hook=told)
    held = {one.kind async for one in PERSONAL_DATA.export(session, whose)}
    assert held == {"event", "receipt", "outreach_person", "outreach_webhook"}
    counts = await PERSONAL_DATA.erase(session, whose, keep_out=True)
    assert {name: count for name, count in counts.items() if count} == dict.fromkeys(held, 1)
    await put(session, replace(there, activity="act_2"))
    await put(session, replace(there, activity="act_3", email=asked.lower()))
    assert {one.kind async for one in PERSONAL_DATA.export(session, whose)} == set()
    assert (await session.execute(text("SELECT count(*) FROM outreach.event_source"))).scalar_one() == 3


async def test_the_key_of_an_event_tells_spellings_apart_that_a_person_may_share() -> None:
    keys = {event_key(sent(email).identity) for email in (SHARP, SHARP_IN_CAPITALS, "strasse@example.com")}
    assert len(keys) == 2


async def test_a_body_in_json_escapes_holds_the_address_too_and_another_person_is_left_alone(
    session: WriteSession,
) -> None:
    hooks = webhooks_of(
        session, [b'{"leadEmail": "Stra\\u00dfe@example.com"}', b'{"leadEmail": "stra\\u00dfer@example.com"}']
    )
    await session.execute(insert(webhook), hooks)
    counts = await PERSONAL_DATA.erase(session, Subject(emails=frozenset({email_key(SHARP)})), keep_out=False)
    assert counts["outreach_webhook"] == 1


async def put(session: WriteSession, one: Happening, *, from_hook: str | None = None) -> None:
    await store(session, [one], namespace="default", source=EventSource.SYNC, to_mixpanel=True)
    await meet_people(session, [one], namespace="default", is_wanted=False)
    if from_hook is not None:
        await session.execute(insert(webhook), webhooks_of(session, [f'{{"leadEmail": "{from_hook}"}}'.encode()]))


def webhooks_of(session: WriteSession, bodies: list[bytes]) -> list[dict[str, Any]]:
    fixed = {"tenant_id": session.tenant, "platform": "lemlist", "state": "done", "attempts": 1, "received_at": NOW}
    return [{**fixed, "id": new_id(), "digest": body[-32:], "body": body} for body in bodies]
