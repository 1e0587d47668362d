"""Work that Shopify does after it has answered: waited for, so that a result is told only when there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from syncline.connectors.shopify import content_queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.runtime.connect.errors import OutcomeUnknown

PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


async def wait_for_job(client: ShopifyClient, job: Mapping[str, Any] | None, what: str) -> None:
    """Returns when the job has ended; one that is not known any more has. `what` it does, for the sentence of
    `OutcomeUnknown`, which is raised when it takes too long."""
    for pause in PAUSES:
        if job is None or job["done"]:
            return
        await asyncio.sleep(pause)
        job = (await client.execute(content_queries.READ_JOB, {"id": job["id"]}, idempotent=True)).data["job"]
    raise OutcomeUnknown(f"Shopify is still {what}.", vendor_code="job_not_done")
