"""The part of the local `Commerce` that is about what sheets look like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.sheet_contract import MarkedSheet, SheetColumn, SheetMapping
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.transfer import service
from syncline.apps.commerce.transfer.mapping import repository
from syncline.apps.commerce.transfer.mapping import service as mappings
from syncline.apps.commerce.transfer.service import ImportOptions
from syncline.apps.commerce.transfer.templates import write_template
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalSheets:
    runtime: Runtime
    settings: CommerceSettings

    async def list_mappings(self, *, actor: Actor) -> Sequence[SheetMapping]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await repository.list_all(session)

    async def keep_mapping(self, *, actor: Actor, name: str, columns: Mapping[str, str]) -> SheetMapping:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await mappings.keep(session, name=name, columns=columns, actor=actor)

    async def remove_mapping(self, *, actor: Actor, name: str) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await mappings.remove(session, name)

    async def describe_columns(
        self, *, actor: Actor, path: str, encoding: str | None = None, mapping: str | None = None
    ) -> Sequence[SheetColumn]:
        columns: Mapping[str, str] = {}
        if mapping is not None:
            async with self.runtime.database.reading(actor.tenant_id) as session:
                columns = (await mappings.get(session, mapping)).columns
        with Path(path).open("rb") as file:  # noqa: ASYNC230 - opening a local file is quick; reading it is not done here
            look = partial(mappings.describe, file, encoding=encoding, columns=columns, name=Path(path).name)
            return await asyncio.to_thread(look)

    async def mark_sheet(
        self,
        *,
        actor: Actor,
        store: str,
        path: str,
        file: BinaryIO,
        ignore_unknown: bool = False,
        encoding: str | None = None,
        location: str | None = None,
        create: bool = False,
        mapping: str | None = None,
    ) -> MarkedSheet:
        options = ImportOptions(
            ignore_unknown=ignore_unknown, encoding=encoding, location=location, create=create, mapping=mapping
        )
        with Path(path).open("rb") as sheet:  # noqa: ASYNC230 - as above
            async with self.runtime.database.writing(actor.tenant_id) as session:
                row = await stores.get(session, store)
                found = await service.examine(session, store=row.store, file=sheet, actor=actor, options=options)
            return await asyncio.to_thread(service.mark_copy, sheet, found, file, options)

    async def write_template(self, *, actor: Actor, kind: str, format: str, file: BinaryIO) -> Sequence[str]:  # noqa: ARG002, A002 - a template is everybody's; the contract's word
        return write_template(kind, format, file)
