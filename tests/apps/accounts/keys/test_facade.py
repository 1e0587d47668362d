from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from syncline.apps.accounts.contract import DEFAULT_TENANT, KeyNotFound, UnknownRole
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.accounts.keys.models import api_key
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_a_key_opens_its_tenant_with_its_role(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name=" nightly export ", role="viewer", created_by="a test")
    actor = await ring.authenticate(bearer=issued.bearer)
    assert actor == Actor(tenant_id=tenant_id, name="nightly export", role="viewer", key_id=issued.key.id)


async def test_only_the_hash_of_a_key_is_stored(ring: LocalKeyRing, database: Database, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    secret = issued.bearer.rsplit(issued.key.prefix, 1)[1]
    async with database.reading(tenant_id) as session:
        row = (await session.execute(select(api_key))).one()
    assert secret not in str(tuple(row))
    assert len(row.digest) == 32


async def test_a_wrong_secret_behind_a_right_prefix_is_refused(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    last = "A" if issued.bearer[-1] != "A" else "B"
    assert await ring.authenticate(bearer=issued.bearer[:-1] + last) is None


async def test_a_key_does_not_work_under_another_tenants_name(
    ring: LocalKeyRing, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    forged = issued.bearer.replace(tenant_id.hex, other_tenant_id.hex)
    assert await ring.authenticate(bearer=forged) is None


async def test_a_revoked_key_stops_working_at_once_and_for_good(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    first = await ring.revoke_key(tenant_id=tenant_id, key_id=issued.key.id)
    again = await ring.revoke_key(tenant_id=tenant_id, key_id=issued.key.id)
    assert await ring.authenticate(bearer=issued.bearer) is None
    assert first.revoked_at is not None
    assert again.revoked_at == first.revoked_at


async def test_a_key_expires(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    with clock.frozen(NOON):
        issued = await ring.create_key(
            tenant_id=tenant_id, name="a", role="owner", created_by="a test", expires_at=NOON + timedelta(days=1)
        )
    with clock.frozen(NOON + timedelta(days=1) - timedelta(seconds=1)):
        assert await ring.authenticate(bearer=issued.bearer) is not None
    with clock.frozen(NOON + timedelta(days=1)):
        assert await ring.authenticate(bearer=issued.bearer) is None


async def test_the_last_use_is_written_at_most_once_a_minute(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    seen = []
    for seconds in (0, 30, 60):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            await ring.authenticate(bearer=issued.bearer)
        (key,) = await ring.list_keys(tenant_id=tenant_id)
        seen.append(key.last_used_at)
    assert seen == [NOON, NOON, NOON + timedelta(seconds=60)]


async def test_keys_are_listed_newest_first_and_revoked_ones_on_request(
    ring: LocalKeyRing, tenant_id: TenantId
) -> None:
    old, new = [
        await ring.create_key(tenant_id=tenant_id, name=name, role="owner", created_by="a test")
        for name in ("old", "new")
    ]
    await ring.revoke_key(tenant_id=tenant_id, key_id=old.key.id)
    assert [key.id for key in await ring.list_keys(tenant_id=tenant_id)] == [new.key.id]
    everything = await ring.list_keys(tenant_id=tenant_id, include_revoked=True)
    assert [key.id for key in everything] == [new.key.id, old.key.id]


async def test_another_tenant_sees_and_revokes_nothing(
    ring: LocalKeyRing, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    issued = await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test")
    assert await ring.list_keys(tenant_id=other_tenant_id, include_revoked=True) == []
    with pytest.raises(KeyNotFound):
        await ring.revoke_key(tenant_id=other_tenant_id, key_id=issued.key.id)
    assert await ring.authenticate(bearer=issued.bearer) is not None


async def test_a_key_that_does_not_exist_cannot_be_revoked(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    with pytest.raises(KeyNotFound):
        await ring.revoke_key(tenant_id=tenant_id, key_id=new_id())


async def test_a_role_that_does_not_exist_is_refused_with_the_list(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    with pytest.raises(UnknownRole, match="owner, admin, editor"):
        await ring.create_key(tenant_id=tenant_id, name="a", role="boss", created_by="a test")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
async def test_a_key_needs_a_name_a_person_can_read(ring: LocalKeyRing, tenant_id: TenantId, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        await ring.create_key(tenant_id=tenant_id, name=name, role="owner", created_by="a test")


async def test_an_expiry_in_the_past_is_refused(ring: LocalKeyRing, tenant_id: TenantId) -> None:
    with pytest.raises(InvalidInput, match="future"):
        await ring.create_key(tenant_id=tenant_id, name="a", role="owner", created_by="a test", expires_at=clock.now())


async def test_the_first_tenant_is_there_from_the_beginning(ring: LocalKeyRing) -> None:
    tenant = await ring.find_tenant(slug=DEFAULT_TENANT)
    assert tenant is not None
    assert tenant.slug == "main"
    assert await ring.find_tenant(slug="nobody") is None
