"""Writing to Attio: people by their address, and attributes of our own."""

from __future__ import annotations

from typing import Any, Final

from syncline.connectors.attio.client import AttioClient
from syncline.connectors.attio.errors import ERRORS, UNREADABLE
from syncline.runtime.connect.connector import Action

ASSERT_PERSON: Final = Action(
    "assert_person",
    idempotent_by="the address: a repeat finds the record the first call made",
    scopes=("record_permission:read-write", "object_configuration:read"),
)
ADD_ATTRIBUTE: Final = Action("add_attribute", idempotent_by="read back with list_attributes after OutcomeUnknown")
ACTIONS: Final = (ASSERT_PERSON, ADD_ATTRIBUTE)

_PEOPLE = "/v2/objects/people"


async def assert_person(client: AttioClient, values: dict[str, Any]) -> str:
    """Makes or changes whoever has one of `values["email_addresses"]`; the record's id. Raises connector outcomes:
    `Skippable` for a value that is not taken."""
    matching: dict[str, object] = {"matching_attribute": "email_addresses"}
    body = await client.write(
        "assert_person", f"{_PEOPLE}/records", {"values": values}, method="PUT", idempotent=True, query=matching
    )
    try:
        return str(body["data"]["id"]["record_id"])
    except (KeyError, TypeError) as error:
        raise ERRORS.outcome(UNREADABLE, detail="no record id") from error


async def list_attributes(client: AttioClient) -> set[str]:
    """Slugs of what a person can have."""
    body = await client.get("attributes", f"{_PEOPLE}/attributes")
    return {str(one["api_slug"]) for one in body["data"]}


async def add_attribute(client: AttioClient, *, slug: str, title: str, kind: str) -> None:
    """`kind` is `text`, `number`, `timestamp` and so on. Raises `OutcomeUnknown` when it may have been made."""
    data = {
        "api_slug": slug,
        "title": title,
        "description": "Written by Syncline",
        "type": kind,
        "is_required": False,
        "is_unique": False,
        "is_multiselect": False,
        "config": {},
    }
    await client.write("add_attribute", f"{_PEOPLE}/attributes", data, method="POST", idempotent=False)


async def check_workspace(client: AttioClient) -> str:
    """Its name, as a test that the token is good."""
    return str((await client.get("self", "/v2/self")).get("workspace_name", ""))
