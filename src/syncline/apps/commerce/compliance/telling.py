"""Says that something was asked for, comes due, or was done: to whoever watches, and over the channels."""

from __future__ import annotations

from syncline.apps.commerce.compliance.repository import RequestRow
from syncline.apps.commerce.contract import OperationKind, RunStatus
from syncline.apps.commerce.live import operations
from syncline.apps.commerce.live.operations import operation_of
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import WriteSession


async def tell(session: WriteSession, row: RequestRow, sentence: str, *, is_urgent: bool = False) -> None:
    """`is_urgent` reaches those too who are told of failures only."""
    await operations.ended(
        session,
        operation_of(OperationKind.PRIVACY_REQUEST, new_id(), row.request.store),
        store_id=row.store_id,
        status=RunStatus.FAILED if is_urgent else RunStatus.COMPLETED,
        sentence=f"{row.request.topic.value}: {sentence}",
        requested_by="Shopify",
    )
