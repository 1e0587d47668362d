"""What an endpoint can ask for: a transaction, a page, another app's contract, the runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request

from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import ReadSession, WriteSession
from syncline.runtime.http.audit import note_write
from syncline.runtime.http.auth import current_actor
from syncline.runtime.http.schemas import Pagination

T = TypeVar("T")


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _writing(
    request: Request,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    actor: Annotated[Actor, Depends(current_actor)],
) -> AsyncIterator[WriteSession]:
    async with runtime.database.writing(actor.tenant_id) as session:
        yield session
        await note_write(session, request, actor)


async def _reading(
    runtime: Annotated[Runtime, Depends(runtime_of)], actor: Annotated[Actor, Depends(current_actor)]
) -> AsyncIterator[ReadSession]:
    async with runtime.database.reading(actor.tenant_id) as session:
        yield session


# Scope "function" closes the transaction when the endpoint has returned and before the first byte of the answer: nobody
# is told of a change that did not commit, and a commit that fails is an error answer.
Writing = Annotated[WriteSession, Depends(_writing, scope="function")]
"""One transaction for this request; committed before the answer is sent, rolled back by any error."""

Reading = Annotated[ReadSession, Depends(_reading, scope="function")]
"""The same, read only."""


def _page(
    page: Annotated[int, Query(ge=1, le=1_000_000, description="Counts from 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=100, description="Rows on a page")] = 50,
) -> PageRequest:
    return PageRequest(page=page, limit=limit)


Paging = Annotated[PageRequest, Depends(_page)]
"""`?page=1&limit=50`, with 1 <= limit <= 100."""


def pagination(page: Page[object]) -> Pagination:
    """How a list says where it is."""
    return Pagination(
        current_page=page.page,
        total_pages=page.total_pages,
        total_items=page.total,
        items_per_page=page.limit,
        has_next_page=page.page < page.total_pages,
        has_previous_page=page.page > 1,
    )


def uses(contract: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Dependency: the implementation of an app's contract. `keys: Annotated[KeyRing, Depends(uses(KeyRing))]`."""

    async def provided(request: Request) -> T:  # what is not async would be given to a thread
        return runtime_of(request).contract(contract)

    return provided
