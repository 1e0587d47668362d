"""Mixpanel's own packages judge the double: what they send it understands, and what it answers they accept."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import mixpanel
import mixpanel_utils
import pytest

from syncline.sandbox.mixpanel.app import Mixpanel

TIME = int(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp())


def events(count: int) -> list[dict[str, Any]]:
    return [
        {
            "event": "email_sent",
            "properties": {"time": TIME + number, "distinct_id": "ada@example.com", "$insert_id": f"id-{number}"},
        }
        for number in range(count)
    ]


def client(url: str, double: Mixpanel, password: str | None = None) -> mixpanel.Mixpanel:
    project = double.project
    credentials = mixpanel.ServiceAccountCredentials(project.username, password or project.password, project.id)
    consumer = mixpanel.BufferedConsumer(
        events_url=f"{url}/track",
        people_url=f"{url}/engage",
        groups_url=f"{url}/groups",
        import_url=f"{url}/import",
        credentials=credentials,
    )
    return mixpanel.Mixpanel(project.token, consumer=consumer)


def import_all(tracker: mixpanel.Mixpanel, sent: list[dict[str, Any]]) -> None:
    for one in sent:
        properties = one["properties"]
        more = {"$insert_id": properties["$insert_id"]}
        tracker.import_data("", properties["distinct_id"], one["event"], properties["time"], more)
    tracker._consumer.flush()


async def test_the_library_imports_in_its_legacy_form(url: str, double: Mixpanel) -> None:
    tracker = client(url, double)
    await asyncio.to_thread(import_all, tracker, events(120))
    assert double.records.counts() == {"raw": 120, "distinct": 120, "compacted": 120}
    assert double.counters.by_route["POST /import"] == 3


async def test_the_library_understands_a_refusal(url: str, double: Mixpanel) -> None:
    tracker = client(url, double, password="wrong")
    with pytest.raises(mixpanel.MixpanelException):
        await asyncio.to_thread(import_all, tracker, events(1))
    assert double.records.counts()["raw"] == 0


async def test_the_library_tracks_and_sets_people_and_groups(url: str, double: Mixpanel) -> None:
    tracker = client(url, double)

    def talk() -> None:
        tracker.track("ada@example.com", "email_opened", {"$insert_id": "id-1"})
        tracker.people_set("ada@example.com", {"$name": "Ada", "opens": 1})
        tracker.people_set_once("ada@example.com", {"$name": "Not Ada", "first": "mail"})
        tracker.people_increment("ada@example.com", {"opens": 2})
        tracker.people_append("ada@example.com", {"steps": 1})
        tracker.people_union("ada@example.com", {"steps": [1, 2]})
        tracker.people_unset("ada@example.com", ["first"])
        tracker.group_set("company", "lemonade", {"size": 3})
        tracker._consumer.flush()

    await asyncio.to_thread(talk)
    assert double.records.counts()["raw"] == 1
    profile = json.loads(double.records.profile("people", "ada@example.com") or b"")
    assert profile == {"$name": "Ada", "opens": 3, "steps": [1, 2]}
    assert json.loads(double.records.profile("group", "lemonade") or b"") == {"size": 3}


def utils(url: str, double: Mixpanel) -> mixpanel_utils.MixpanelUtils:
    project = double.project
    made = mixpanel_utils.MixpanelUtils(
        project.password,
        token=project.token,
        service_account_username=project.username,
        project_id=project.id,
        pool_size=2,
    )
    made.import_api, made.raw_api, made.formatted_api = url, f"{url}/api", f"{url}/api"
    return made


async def test_the_utilities_import_strictly_and_read_everything_back(url: str, double: Mixpanel) -> None:
    judge = utils(url, double)
    await asyncio.to_thread(judge.import_events, events(4_500), 0)
    assert double.counters.by_route["POST /import"] == 3
    assert double.records.counts() == {"raw": 4_500, "distinct": 4_500, "compacted": 4_500}
    read = await asyncio.to_thread(judge.query_export, {"from_date": "2026-11-02", "to_date": "2026-11-02"}, True)
    assert {one["properties"]["$insert_id"] for one in read} == {f"id-{number}" for number in range(4_500)}
    assert {one["properties"]["time"] for one in read} == {TIME + number for number in range(4_500)}


async def test_the_utilities_try_again_after_500_and_nothing_is_twice(
    url: str, double: Mixpanel, http: httpx.AsyncClient
) -> None:
    await http.post("/sandbox/faults", json={"faults": "http_500=1@/import"})
    judge = utils(url, double)
    await asyncio.to_thread(judge.import_events, events(10), 0)
    assert double.records.counts() == {"raw": 10, "distinct": 10, "compacted": 10}


async def test_the_utilities_set_people(url: str, double: Mixpanel) -> None:
    judge = utils(url, double)
    people = [{"$distinct_id": "ada@example.com", "$properties": {"$name": "Ada"}}]
    await asyncio.to_thread(judge.import_people, people)
    assert json.loads(double.records.profile("people", "ada@example.com") or b"") == {"$name": "Ada"}
