"""All four on one address, as `syncline sandbox outreach` runs them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from syncline.sandbox.server import running
from syncline.sandbox.together import Town

UNTIL = 1_790_000_000_000


def make(**more: object) -> Town:
    return Town.make(**{"events": 401, "campaigns": 5, "until_ms": UNTIL, "limits": False, **more})  # type: ignore[arg-type]


async def test_each_answers_below_its_name_to_its_own_credential() -> None:
    town = make()
    async with running(town.app()) as url, httpx.AsyncClient() as http:
        where = town.addresses(url)
        lemlist, smartlead, mixpanel, attio = (where[name] for name in ("lemlist", "smartlead", "mixpanel", "attio"))
        campaigns = (await http.get(f"{lemlist['url']}/campaigns?version=v2", auth=("", lemlist["key"]))).json()
        others = (await http.get(f"{smartlead['url']}/campaigns/", params={"api_key": smartlead["key"]})).json()
        event = {"event": "x", "properties": {"time": 1_700_000_000, "distinct_id": "a@x.example", "$insert_id": "1"}}
        imported = await http.post(f"{mixpanel['url']}/import?strict=1", json=[event], auth=(mixpanel["token"], ""))
        me = await http.get(f"{attio['url']}/v2/self", headers={"Authorization": f"Bearer {attio['token']}"})
        truths = [(await http.get(f"{url}/{name}/sandbox/truth")).json() for name in ("lemlist", "smartlead")]
    assert (len(campaigns), len(others), imported.status_code, me.status_code) == (3, 2, 200, 200)
    assert [one["events"] for one in truths] == [201, 200]


async def test_hooks_of_one_and_faults_of_another_do_not_meet() -> None:
    town = make()
    town.break_with(["mixpanel:http_500=1", "attio:slow=0s"])
    town.switch(
        ["smartlead:plan=pro", "lemlist:campaigns=data", "mixpanel:export_lag_seconds=2", "lemlist:limits=true"]
    )
    async with running(town.app()) as url, httpx.AsyncClient() as http:
        active = {name: (await http.get(f"{url}/{name}/sandbox/faults")).json()["active"] for name in town.doubles}
    assert {name: len(faults) for name, faults in active.items()} == {
        "lemlist": 0,
        "smartlead": 0,
        "mixpanel": 1,
        "attio": 1,
    }
    assert (town.smartlead.switches.plan, town.lemlist.switches.campaigns) == ("pro", "data")
    assert (town.mixpanel.switches.export_lag_seconds, town.lemlist.switches.limits) == (2.0, True)


async def test_each_counts_its_own_requests() -> None:
    town = make()
    async with running(town.app()) as url, httpx.AsyncClient() as http:
        where = town.addresses(url)["smartlead"]
        await http.get(f"{where['url']}/campaigns/", params={"api_key": where["key"]})
        told = {name: (await http.get(f"{url}/{name}/sandbox/stats")).json() for name in ("lemlist", "smartlead")}
    assert told["smartlead"]["by_route"] == {"GET /api/v1/campaigns/": 1}
    assert [told[name]["requests"] for name in ("lemlist", "smartlead")] == [0, 1]


@pytest.mark.parametrize(
    "text", ["hubspot:limits=true", "lemlist:limits", "lemlist:colour=red", "lemlist:limits=yes", "lemlist:arrivals=x"]
)
def test_a_wrong_setting_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        make().switch([text])


@pytest.mark.parametrize("text", ["hubspot:slow=1s", "lemlist:explode", "throttle=3"])
def test_a_wrong_fault_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"There is no"):
        make().break_with([text])


def test_the_same_seed_and_end_make_the_same_events_in_files_too(tmp_path: Path) -> None:
    first, again, other = make(folder=tmp_path), make(), make(seed=2)
    told = [list(town.lemlist.store.all_events()) for town in (first, again, other)]
    assert told[0] == told[1] != told[2]
    assert {path.name for path in tmp_path.iterdir()} >= {"lemlist.sqlite", "smartlead.sqlite", "mixpanel.sqlite"}
