"""The local `Privacy`, which the local `KeyRing` is too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from syncline.apps.accounts.contract import (
    Choices,
    Consent,
    Erasure,
    ErasurePlan,
    PersonalExport,
    Replayed,
    RetentionRule,
    SubjectRef,
)
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.privacy.consents import service as consents
from syncline.apps.accounts.privacy.consents.repository import list_not_for_sale
from syncline.apps.accounts.privacy.erasures import replay_list
from syncline.apps.accounts.privacy.erasures import service as erasures
from syncline.apps.accounts.privacy.exports import service as exports
from syncline.apps.accounts.privacy.retention import service as retention
from syncline.apps.accounts.privacy.subjects import ensure_references, identified, named, references
from syncline.apps.accounts.repository import list_tenant_ids
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.confinement import require_unconfined
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.privacy.subject import Subject, from_json


class LocalPrivacy:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lifetime = runtime.settings_of("accounts", AccountsSettings).export_lifetime

    async def export_person(self, *, actor: Actor, subject: SubjectRef, file: BinaryIO) -> Mapping[str, Any]:
        database, known = self._runtime.database, await self._known_to(actor, subject)
        manifest = await exports.write_archive(database, actor.tenant_id, self._runtime.personal_data, known, file)
        async with database.writing(actor.tenant_id) as session:
            digests = await ensure_references(session, self._runtime.secrets, known)
            await exports.note_read(session, actor, list(digests))
        return manifest

    async def start_export(self, *, actor: Actor, subject: SubjectRef) -> PersonalExport:
        known, runtime = await self._known_to(actor, subject), self._runtime
        async with runtime.database.writing(actor.tenant_id) as session:
            return await exports.start(
                session, runtime.queue, runtime.secrets, subject=known, actor=actor, lifetime=self._lifetime
            )

    async def get_export(self, *, actor: Actor, export_id: UUID) -> PersonalExport:
        async with self._runtime.database.reading(actor.tenant_id) as session:
            return await exports.get(session, export_id)

    async def plan_erasure(self, *, actor: Actor, subject: SubjectRef, keep_out: bool = True) -> ErasurePlan:
        known, runtime = await self._known_to(actor, subject), self._runtime
        return await erasures.plan(runtime.database, actor.tenant_id, runtime.personal_data, known, keep_out=keep_out)

    async def start_erasure(self, *, actor: Actor, subject: SubjectRef, reason: str, keep_out: bool = True) -> Erasure:
        known, runtime = await self._known_to(actor, subject), self._runtime
        async with runtime.database.writing(actor.tenant_id) as session:
            return await erasures.start(
                session,
                runtime.queue,
                runtime.secrets,
                runtime.personal_data,
                subject=known,
                actor=actor,
                reason=reason,
                keep_out=keep_out,
            )

    async def get_erasure(self, *, actor: Actor, erasure_id: UUID) -> Erasure:
        async with self._runtime.database.reading(actor.tenant_id) as session:
            return await erasures.get(session, erasure_id)

    async def list_erasures(self, *, actor: Actor, subject: SubjectRef | None = None) -> Sequence[Erasure]:
        async with self._runtime.database.reading(actor.tenant_id) as session:
            digests = None
            if subject is not None:
                known = await identified(session, self._runtime.personal_data, named(subject))
                digests = await references(session, self._runtime.secrets, known)
            return await erasures.list_all(session, digests)

    async def replay_erasures(self, *, path: str | None = None, is_dry_run: bool = False) -> Replayed:
        runtime = self._runtime
        listed = replay_list.read(Path(path) if path is not None else runtime.erasure_list or Path("erasures.jsonl"))
        async with runtime.database.system() as session:
            tenants = set(await list_tenant_ids(session))
        here = [one for one in listed if one.tenant_id in tenants]
        started = [one for one in here if await self._replay(one, is_dry_run=is_dry_run)]
        return Replayed(
            [one.id for one in started],
            [one.tenant_id for one in started],
            done_before=len(here) - len(started),
            of_no_tenant=len(listed) - len(here),
        )

    async def count_unfinished(self, *, started: Replayed) -> int:
        unfinished = 0
        for erasure_id, tenant_id in zip(started.started, started.tenants, strict=True):
            async with self._runtime.database.reading(tenant_id) as session:
                unfinished += (await erasures.get(session, erasure_id)).status != "completed"
        return unfinished

    async def _replay(self, one: replay_list.Remembered, *, is_dry_run: bool) -> bool:
        runtime = self._runtime
        numbers = from_json(one.numbers)
        async with runtime.database.reading(one.tenant_id) as session:
            known = await identified(session, runtime.personal_data, numbers)
            if is_dry_run:
                return await erasures.is_unknown(session, one.id)
        async with runtime.database.writing(one.tenant_id) as session:
            return await erasures.begin_again(
                session, runtime.queue, runtime.secrets, runtime.personal_data, one, known
            )

    async def record_consent(
        self,
        *,
        actor: Actor,
        subject: SubjectRef,
        document: str,
        version: str,
        is_given: bool,
        method: str,
        at: datetime | None = None,
    ) -> Consent:
        async with self._runtime.database.writing(actor.tenant_id) as session:
            return await consents.record(
                session,
                actor=actor,
                ref=subject,
                document=document,
                version=version,
                is_given=is_given,
                method=method,
                at=at,
            )

    async def choose_sale(self, *, actor: Actor, subject: SubjectRef, may_not_be_sold: bool, method: str) -> Choices:
        async with self._runtime.database.writing(actor.tenant_id) as session:
            return await consents.choose_sale(
                session, actor=actor, ref=subject, may_not_be_sold=may_not_be_sold, method=method
            )

    async def choices_of(self, *, actor: Actor, subject: SubjectRef) -> Choices:
        async with self._runtime.database.reading(actor.tenant_id) as session:
            return await consents.choices_of(session, subject)

    async def list_not_for_sale(self, *, tenant_id: TenantId, emails: Sequence[str]) -> Sequence[str]:
        by_key = {email_key(email): email for email in emails}
        async with self._runtime.database.reading(tenant_id) as session:
            return [by_key[key] for key in await list_not_for_sale(session, list(by_key))]

    async def list_retention(self, *, actor: Actor, counted: bool = False) -> Sequence[RetentionRule]:
        async with self._runtime.database.reading(actor.tenant_id) as session:
            return await retention.list_rules(session, self._runtime.personal_data, counted=counted)

    async def set_retention(self, *, actor: Actor, rule: str, days: int | None) -> RetentionRule:
        async with self._runtime.database.writing(actor.tenant_id) as session:
            return await retention.set_days(session, self._runtime.personal_data, rule=rule, days=days, actor=actor)

    async def apply_retention(self, *, actor: Actor) -> Mapping[str, int]:
        runtime = self._runtime
        return await retention.apply(runtime.database, actor.tenant_id, runtime.personal_data, actor=actor)

    async def _known_to(self, actor: Actor, ref: SubjectRef) -> Subject:
        """For what reaches beyond this tenant: of somebody with an account his profile and sign-ins, which are his
        wherever he belongs. The word of a tenant's own provider opens them to nobody. Raises `TenantSignInOnly`."""
        known = await self._known(actor, ref)
        if known.user_ids:
            async with self._runtime.database.reading(actor.tenant_id) as session:
                await require_unconfined(session, actor)
        return known

    async def _known(self, actor: Actor, ref: SubjectRef) -> Subject:
        subject = named(ref)
        async with self._runtime.database.reading(actor.tenant_id) as session:
            return await identified(session, self._runtime.personal_data, subject)
