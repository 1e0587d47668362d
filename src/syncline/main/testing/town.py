"""lemlist, Smartlead and Mixpanel that a test's Syncline is connected to: the sandbox, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from syncline.apps.outreach.connections import service as connections
from syncline.main.testing.works import Works
from syncline.sandbox.server import running
from syncline.sandbox.together import Town


@asynccontextmanager
async def open_town(works: Works, **options: Any) -> AsyncIterator[Town]:
    """`options` are those of `Town.make`. Connected as the actor of `works`, and without limits of ours either."""
    town = Town.make(**{"limits": False, **options})
    async with running(town.app()) as url:
        told = town.addresses(url)
        for tool in ("lemlist", "smartlead", "mixpanel"):
            here = told[tool]
            given = {"base_url": here["url"], "plan": "none"}
            given |= (
                {"project": here["project_id"], "username": here["username"], "password": here["password"]}
                if tool == "mixpanel"
                else {"api_key": here["key"]}
            )
            await connections.put(works.runtime, works.actor, tool, given)
        yield town
