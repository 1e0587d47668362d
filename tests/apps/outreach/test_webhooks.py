"""Webhooks of both tools: a second way to the same keys."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from tests.apps.outreach.conftest import Call, Place

from syncline.apps.outreach.webhooks import service
from syncline.sandbox.outreach.timelines import Kind

WEBHOOKS = "/api/outreach/webhooks"
HAPPENING = (Kind.OPENED, Kind.CLICKED, Kind.REPLIED, Kind.BOUNCED, Kind.UNSUBSCRIBED)


async def open_door(call: Call, platform: str, **more: Any) -> str:
    made = await call("POST", WEBHOOKS, json={"platform": platform, "public_url": "http://127.0.0.1:9", **more})
    assert made.status_code == 201, made.text
    path: str = made.json()["path"]
    assert path.startswith(f"{WEBHOOKS}/receive/")
    return path


@pytest.mark.parametrize("platform", ["lemlist", "smartlead"])
async def test_what_a_webhook_told_first_is_not_stored_again_by_the_sync(
    place: Place, call: Call, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list[tuple[bytes, dict[str, str]]]()
    double: Any = place.town.doubles[platform]
    monkeypatch.setattr(double.deliverer, "send", lambda _what, _url, body, headers: sent.append((body, headers)))
    path = await open_door(call, platform)
    mail = next(one for one in double.store.mails(1) if not (one.opens or one.reply_ms or one.bounced))
    double.happen(Kind.SENT, campaign=1)
    for kind in HAPPENING:
        double.happen(kind, mail=mail.id)
    for body, headers in sent:
        answer = await call("POST", path, role=None, content=body, headers=headers)
        assert answer.json() == {"success": True, "received": True, "idempotent": False}
    await place.work()
    assert await place.stored() == len(sent) == 6
    await place.sync()
    assert await place.stored() == place.at_source
    assert place.at_mixpanel == {"raw": place.at_source, "distinct": place.at_source}


async def test_the_same_told_twice_is_kept_once(place: Place, call: Call) -> None:
    path = await open_door(call, "smartlead")
    body = {"event_type": "EMAIL_SENT", "campaign_id": 1, "campaign_name": "North", "to_email": "a@x.example",
            "sequence_number": 1, "time_sent": "2026-10-01T10:00:00.000Z"}  # fmt: skip
    told = [(await call("POST", path, role=None, json=body)).json()["idempotent"] for _ in range(2)]
    assert told == [False, True]
    await place.work()
    assert await place.stored() == 1


async def test_lemlists_secret_must_stand_in_the_body(place: Place, call: Call) -> None:
    path = await open_door(call, "lemlist")
    refused = await call("POST", path, role=None, json={"_id": "act_1", "secret": "guessed"})
    assert (refused.status_code, refused.json()["code"]) == (401, "HOOK_007")
    assert await place.rows("SELECT count(*) FROM outreach.webhook") == [(0,)]


async def test_smartleads_signature_must_fit_where_its_secret_is_known(place: Place, call: Call) -> None:
    path = await open_door(call, "smartlead", signing_secret="s3cret")
    body = b'{"event_type":"CAMPAIGN_STATUS_CHANGED"}'
    signature = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert (await call("POST", path, role=None, content=body)).status_code == 401
    taken = await call("POST", path, role=None, content=body, headers={"X-Smartlead-Signature": signature})
    assert taken.status_code == 200


HOOK = {"event_type": "EMAIL_SENT", "campaign_id": 1, "campaign_name": "North", "to_email": "a@x.example",
        "sequence_number": 1, "time_sent": "2026-10-01T10:00:00.000Z"}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[1]",
        b'{"event_type":"LEAD_CATEGORY_UPDATED"}',
        b"\xff\xfe",
        b'{"event_type":"\xff"}',
        b"[" * 50_000,
        json.dumps({**HOOK, "campaign_id": "a\0b"}).encode(),
        json.dumps({**HOOK, "campaign_id": "x" * 10_000}).encode(),
        json.dumps({**HOOK, "time_sent": "0001-01-01T00:00:00+14:00"}).encode(),
        json.dumps({**HOOK, "campaign_name": None}).encode(),
        json.dumps({**HOOK, "campaign_name": 5}).encode(),
    ],
    ids=range(11),
)
async def test_what_is_no_event_is_kept_and_set_aside_with_its_reason(place: Place, call: Call, body: bytes) -> None:
    path = await open_door(call, "smartlead")
    assert (await call("POST", path, role=None, content=body)).status_code == 200
    await place.work()
    ((state, sentence),) = await place.rows("SELECT state, sentence FROM outreach.webhook")
    assert state == "unusable"
    assert sentence.startswith("smartlead: ")


async def test_one_that_cannot_be_an_event_does_not_stop_the_others(place: Place, call: Call) -> None:
    path = await open_door(call, "smartlead")
    for body in (b'{"event_type":"\xff"}', json.dumps({**HOOK, "sequence_number": 10**30}), json.dumps(HOOK)):
        assert (await call("POST", path, role=None, content=body)).status_code == 200
    await place.work()
    told = await place.rows("SELECT state, count(*) FROM outreach.webhook GROUP BY state ORDER BY state")
    assert told == [("done", 2), ("unusable", 1)]
    assert await place.stored() == 2


async def test_what_is_no_json_does_not_prove_lemlists_secret(place: Place, call: Call) -> None:
    path = await open_door(call, "lemlist")
    for body in (b'{"secret":"\xff"}', b"[" * 50_000):
        refused = await call("POST", path, role=None, content=body)
        assert (refused.status_code, refused.json()["code"]) == (401, "HOOK_007")


@pytest.mark.parametrize("body", [{"platform": "smartlead", "signing_secret": ""},
                                  {"platform": "lemlist", "signing_secret": "s3cret"}])  # fmt: skip
async def test_a_secret_that_would_not_be_looked_at_is_refused(call: Call, body: dict[str, str]) -> None:
    refused = await call("POST", WEBHOOKS, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "REQ_001")
    assert "signing_secret" in refused.json()["error"]


async def test_at_an_unknown_or_removed_address_nobody_listens(place: Place, call: Call) -> None:
    path = await open_door(call, "smartlead")
    (door,) = (await call("GET", WEBHOOKS)).json()["webhooks"]
    assert place.town.smartlead.hooks.kept
    assert (await call("DELETE", f"{WEBHOOKS}/{door['id']}", tenant="other")).status_code == 404
    assert (await call("DELETE", f"{WEBHOOKS}/{door['id']}")).status_code == 204
    assert not place.town.smartlead.hooks.kept
    for gone in (path, f"{WEBHOOKS}/receive/{'x' * 43}"):
        answer = await call("POST", gone, role=None, json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "HOOK_006")


async def test_an_address_that_the_tool_refuses_is_not_kept(place: Place, call: Call) -> None:
    place.town.break_with(["lemlist:unauthorized@/api/hooks"])
    refused = await call("POST", WEBHOOKS, json={"platform": "lemlist", "public_url": "http://127.0.0.1:9"})
    assert refused.status_code == 409
    assert (await call("GET", WEBHOOKS)).json()["webhooks"] == []


async def test_while_the_tool_is_asked_no_connection_is_held(
    place: Place, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = list[int]()

    async def slow(*_: Any, **__: Any) -> str:
        held.append(place.runtime.database.pool_status().active)
        return "hook_1"

    monkeypatch.setattr(service, "add_hook", slow)
    monkeypatch.setattr(service, "remove_hook", slow)
    await open_door(call, "lemlist")
    (door,) = (await call("GET", WEBHOOKS)).json()["webhooks"]
    assert (await call("DELETE", f"{WEBHOOKS}/{door['id']}")).status_code == 204
    assert held == [0, 0]


async def test_an_address_of_which_the_tool_cannot_be_told_stays_until_it_can(place: Place, call: Call) -> None:
    await open_door(call, "lemlist")
    (door,) = (await call("GET", WEBHOOKS)).json()["webhooks"]
    place.town.break_with(["lemlist:unauthorized=1@/api/hooks"])
    assert (await call("DELETE", f"{WEBHOOKS}/{door['id']}")).status_code == 409
    assert (await call("GET", WEBHOOKS)).json()["webhooks"] == [door]
    assert (await call("DELETE", f"{WEBHOOKS}/{door['id']}")).status_code == 204
    assert not place.town.lemlist.hooks
