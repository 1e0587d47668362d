"""The local `Notifications`: opens a transaction, asks a service, closes it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from syncline.apps.operations.channels import service as channels
from syncline.apps.operations.contract import (
    AddedChannel,
    Channel,
    ChannelKind,
    Delivery,
    DeliveryStatus,
)
from syncline.apps.operations.deliveries import repository, service
from syncline.apps.operations.deliveries.wording import trial
from syncline.kernel import clock
from syncline.kernel.errors import ConnectorOutcome, DomainError
from syncline.kernel.ids import new_id
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True, slots=True)
class LocalNotifications:
    runtime: Runtime

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
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await channels.add(
                session,
                self.runtime.secrets,
                self.runtime.guard,
                actor=actor,
                name=name,
                kind=kind,
                target=target,
                operations=operations,
                only_failures=only_failures,
            )

    async def list_channels(self, *, actor: Actor) -> Sequence[Channel]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await channels.list_all(session)

    async def change_channel(
        self,
        *,
        actor: Actor,
        name: str,
        operations: Sequence[str] | None = None,
        only_failures: bool | None = None,
        is_enabled: bool | None = None,
    ) -> Channel:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await channels.change(
                session, name, operations=operations, only_failures=only_failures, is_enabled=is_enabled
            )

    async def remove_channel(self, *, actor: Actor, name: str) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await channels.remove(session, name)

    async def test_channel(self, *, actor: Actor, name: str) -> Delivery:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await channels.get_row(session, name)
            notice = trial(name, actor=actor.name, occurred_at=clock.iso(clock.now()))
            made = await service.write_down(session, row.id, new_id(), notice)
        assert made is not None, "its event was made up a moment ago"
        with suppress(ConnectorOutcome, DomainError):  # the receipt says what stood in the way
            await service.attempt(self.runtime, actor.tenant_id, made, is_last=True)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await repository.get(session, made)

    async def list_deliveries(
        self, *, actor: Actor, channel: str | None = None, status: DeliveryStatus | None = None, page: PageRequest
    ) -> Page[Delivery]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = None if channel is None else await channels.get_row(session, channel)
            channel_id = None if row is None else row.id
            return await repository.list_page(session, channel_id=channel_id, status=status, page=page)


def build(runtime: Runtime) -> LocalNotifications:
    return LocalNotifications(runtime)
