"""What others may know of operations: channels, deliveries, one interface, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.kernel.errors import Conflict, InvalidInput, NotFound
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor


class ChannelKind(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    SLACK = "slack"
    WEBHOOK = "webhook"


class DeliveryStatus(StrEnum):
    """`kept`: there is no mail server, so it can be read here only. `unconfirmed`: it was handed over, and whether it
    arrived is not known; it is not sent again, for the other side could not tell that it is the same."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    KEPT = "kept"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Channel:
    """`target` is the mail address, or the host that is called: the whole address of a webhook is a secret.
    `operations` are those it is told of, all when empty. `disabled_because` says why it stopped by itself."""

    id: UUID
    name: str
    kind: ChannelKind
    target: str
    operations: Sequence[str]
    only_failures: bool
    is_enabled: bool
    disabled_because: str | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AddedChannel:
    """`secret` signs what a webhook is sent. It is told here only, once."""

    channel: Channel
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One telling of one thing. `sentence` says why it failed or what it waits for."""

    id: UUID
    channel: str
    kind: ChannelKind
    subject: str
    text: str
    status: DeliveryStatus
    attempts: int
    vendor_code: str | None
    sentence: str | None
    created_at: datetime
    sent_at: datetime | None


class ChannelNotFound(NotFound):
    code = "NOTIFY_001"
    title = "No such channel"


class ChannelExists(Conflict):
    code = "NOTIFY_002"
    title = "There is a channel of this name already"


class BadChannel(InvalidInput):
    code = "NOTIFY_003"
    title = "The channel is not valid"


class Notifications(Protocol):
    """Every call acts for `actor` and inside his tenant."""

    async def add_channel(
        self,
        *,
        actor: Actor,
        name: str,
        kind: ChannelKind,
        target: str,
        operations: Sequence[str] = (),
        only_failures: bool = False,
    ) -> AddedChannel:
        """`target` is a mail address or a URL. Raises `BadChannel`, `ChannelExists`."""
        ...

    async def list_channels(self, *, actor: Actor) -> Sequence[Channel]: ...

    async def change_channel(
        self,
        *,
        actor: Actor,
        name: str,
        operations: Sequence[str] | None = None,
        only_failures: bool | None = None,
        is_enabled: bool | None = None,
    ) -> Channel:
        """What is None stays. Raises `ChannelNotFound`, `BadChannel`."""
        ...

    async def remove_channel(self, *, actor: Actor, name: str) -> None:
        """With its receipts. Raises `ChannelNotFound`."""
        ...

    async def test_channel(self, *, actor: Actor, name: str) -> Delivery:
        """Tells it something at once, once, and answers the receipt. Raises `ChannelNotFound`."""
        ...

    async def list_deliveries(
        self, *, actor: Actor, channel: str | None = None, status: DeliveryStatus | None = None, page: PageRequest
    ) -> Page[Delivery]:
        """The latest first. Raises `ChannelNotFound`."""
        ...
