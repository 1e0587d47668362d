"""The part of the contract that is about changes made in the store itself. `Commerce` has these methods too."""

from __future__ import annotations

from typing import Protocol

from syncline.apps.commerce.contract.types import Store, StoreReview
from syncline.kernel.tenant import Actor


class Inbound(Protocol):
    """Review of what others change in a store."""

    async def set_store_review(self, *, actor: Actor, store: str, review: StoreReview) -> Store:
        """From the next pull on. What is staged already stays to be decided. Raises `StoreNotFound`."""
        ...
