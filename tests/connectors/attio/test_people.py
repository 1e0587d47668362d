"""Against the double: people by their address, also when answers are lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from syncline.connectors.attio.actions import add_attribute, assert_person, check_workspace, list_attributes
from syncline.connectors.attio.client import AttioClient, AttioConfig
from syncline.connectors.attio.streams import find_person, read_people
from syncline.kernel.errors import ConnectorOutcome, Fatal, Skippable
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.attio.app import Attio, create_app
from syncline.sandbox.server import running


@pytest.fixture
def double() -> Attio:
    return Attio()


@pytest.fixture
async def client(double: Attio) -> AsyncIterator[AttioClient]:
    async with running(create_app(double)) as url:
        config = AttioConfig(double.token, url)
        async with AttioClient(config, registry=fresh_registry(), retry=FAST_RETRY) as client:
            yield client


async def test_a_lost_answer_makes_no_second_person(double: Attio, client: AttioClient) -> None:
    double.faults.add_all("drop_after=1,http_502=1:after1,truncate=1:after1")
    made = await assert_person(client, {"email_addresses": ["Ada@x.example"], "name": "Lovelace, Ada"})
    again = await assert_person(client, {"email_addresses": ["ada@x.example"]})
    assert made == again
    assert double.records.count("people") == 1
    found = await find_person(client, "ada@x.example")
    assert found is not None
    assert found["id"]["record_id"] == made
    assert await find_person(client, "nobody@x.example") is None


async def test_everybody_is_read(double: Attio, client: AttioClient) -> None:
    made = {await assert_person(client, {"email_addresses": [f"p{number}@x.example"]}) for number in range(8)}
    read = [one async for page in read_people(client) for one in page.records]
    assert {one["id"]["record_id"] for one in read} == made
    assert double.counters.throttled == 0


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"email_addresses": ["none"]}, Skippable),
        ({"email_addresses": []}, Skippable),
        ({"email_addresses": ["a@x.example"], "opens": 1}, Fatal),
    ],
)
async def test_what_is_refused_says_who_must_act(
    client: AttioClient, values: dict[str, Any], outcome: type[ConnectorOutcome]
) -> None:
    with pytest.raises(outcome):
        await assert_person(client, values)


async def test_attributes_are_added_once(double: Attio, client: AttioClient) -> None:
    assert await check_workspace(client) == "Sandbox"
    double.faults.add_all("drop_after=1@/attributes")
    with pytest.raises(OutcomeUnknown):
        await add_attribute(client, slug="opens", title="Opens", kind="number")
    assert "opens" in await list_attributes(client)
    with pytest.raises(Skippable):
        await add_attribute(client, slug="opens", title="Opens", kind="number")
