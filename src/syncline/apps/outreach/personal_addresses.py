"""The spellings under which a person's address stands here.

Rows hold an address as `str.lower` makes it, because event keys do; a person is looked for by `email_key`. For letters
of ASCII both are the same. Beyond, one key has many spellings (`strasse`, `straße`), which no index can answer: the few
addresses with such letters are looked through.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Column, func, select

from syncline.apps.outreach.delivery.models import receipt
from syncline.apps.outreach.events.models import event_source
from syncline.apps.outreach.happenings.models import staged_event
from syncline.apps.outreach.people.models import person
from syncline.kernel.email_address import email_key
from syncline.runtime.db.session import Session

_WHERE: Final[tuple[Any, ...]] = (
    event_source.c.email,
    person.c.email,
    receipt.c.distinct_id,
    staged_event.c.event["email"].astext,
)


async def spellings(session: Session, emails: Collection[str]) -> frozenset[str]:
    """These addresses, and whatever else stands here and means one of them."""
    wanted = frozenset(email_key(email) for email in emails)
    found = set[str](emails)
    for column in _WHERE if wanted else ():
        table = column.table if isinstance(column, Column) else staged_event
        beyond = func.octet_length(column) > func.char_length(column)
        query = select(column).where(table.c.tenant_id == session.tenant, beyond).distinct()
        found |= {one for one in await session.scalars(query) if email_key(one) in wanted}
    return frozenset(found)
