from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from syncline.apps.accounts.contract import Preferences
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.kernel.tenant import TenantId

Signed = dict[str, Any]


def auth(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def change(client: httpx.AsyncClient, signed: Signed, **body: Any) -> httpx.Response:
    return await client.patch("/api/auth/me", json=body, headers=auth(signed))


async def test_what_is_said_is_kept_and_the_rest_stays(client: httpx.AsyncClient, ada: Signed) -> None:
    first = await change(client, ada, locale="de_at", time_zone="europe/vienna", name="  Ada  King ")
    assert first.status_code == 200, first.text
    assert (first.json()["user"]["name"], first.json()["name"]) == ("Ada King", "Ada King")
    second = await change(
        client,
        ada,
        learning={"goals": ["Swim  far", "Swim far"], "minutes_a_day": 20, "reminder_times": ["19:00", "07:30"]},
        accessibility={"captions": True},
    )
    assert second.json()["profile"] == {
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "learning": {"goals": ["Swim far"], "minutes_a_day": 20, "reminder_times": ["07:30", "19:00"]},
        "accessibility": {
            "reduced_motion": False,
            "high_contrast": False,
            "screen_reader": False,
            "captions": True,
            "text_percent": 100,
            "extra_time_percent": 0,
        },
    }
    third = await change(client, ada, learning={"minutes_a_day": None}, locale=None)
    assert third.json()["profile"]["learning"]["goals"] == ["Swim far"]
    assert (third.json()["profile"]["learning"]["minutes_a_day"], third.json()["profile"]["locale"]) == (None, None)
    assert (await client.get("/api/auth/me", headers=auth(ada))).json()["profile"] == third.json()["profile"]


async def test_two_tabs_that_change_different_things_both_win(client: httpx.AsyncClient, ada: Signed) -> None:
    await asyncio.gather(change(client, ada, locale="fr"), change(client, ada, time_zone="Asia/Tokyo"))
    found = (await client.get("/api/auth/me", headers=auth(ada))).json()["profile"]
    assert (found["locale"], found["time_zone"]) == ("fr", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"locale": "Deutsch"}, "locale"),
        ({"time_zone": "Vienna"}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"name": "   "}, "name"),
        ({"learning": {"goals": [" "]}}, "learning.goals"),
        ({"learning": {"goals": [str(one) for one in range(11)]}}, "learning.goals"),
        ({"learning": {"minutes_a_day": 0}}, "learning.minutes_a_day"),
        ({"learning": {"minutes_a_day": 1441}}, "learning.minutes_a_day"),
        ({"learning": {"reminder_times": ["24:00"]}}, "learning.reminder_times"),
        ({"learning": {"reminder_times": ["7:30"]}}, "learning.reminder_times"),
        ({"accessibility": {"text_percent": 10}}, "accessibility.text_percent"),
        ({"favourite": "colour"}, "favourite"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_half_written(
    client: httpx.AsyncClient, ada: Signed, body: dict[str, Any], field: str
) -> None:
    before = (await client.get("/api/auth/me", headers=auth(ada))).json()
    answer = await change(client, ada, **{"locale": "en", **body})
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, field)
    assert (await client.get("/api/auth/me", headers=auth(ada))).json() == before


async def test_a_key_has_no_profile(client: httpx.AsyncClient, owner: dict[str, str]) -> None:
    answer = await client.patch("/api/auth/me", json={"locale": "en"}, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (403, "AUTH_011")


async def test_another_app_reads_what_members_want_and_nothing_of_strangers(
    client: httpx.AsyncClient, ring: LocalKeyRing, ada: Signed, register: Any
) -> None:
    eve = await register("eve@example.com")
    for one in (ada, eve):
        await change(client, one, time_zone="Europe/Vienna")
    ids = [UUID(one["user"]["id"]) for one in (eve, ada)]
    found = await ring.preferences_of(tenant_id=TenantId(UUID(ada["tenant"]["id"])), user_ids=ids)
    assert found == [Preferences(user_id=ids[0]), Preferences(user_id=ids[1], time_zone="Europe/Vienna")]
