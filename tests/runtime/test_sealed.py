from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.sealed import SealedColumn, Whose, reseal
from syncline.runtime.secrets import SecretBox, SecretKeyMissing

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
BOTH = SecretBox([NEW, OLD])
TOKENS = SealedColumn(table="commerce.store", column="token_sealed")
SEEDS = SealedColumn(table="accounts.totp_device", column="sealed_secret", key="user_id", whose=Whose.PERSON)
MAILS = SealedColumn(table="accounts.outgoing_mail", column="sealed_text", whose=Whose.INSTALLATION)
STORE = text("""
    INSERT INTO commerce.store
        (id, tenant_id, name, shop_domain, token_sealed, api_version, shop_name, currency, plan, scopes, created_at)
    VALUES (:id, :tenant, :name, :name, :token, '2026-10', '', 'EUR', '', '{}', now())
""")
PERSON = text("""
    INSERT INTO accounts.user_account (id, email, email_key, name, created_at) VALUES (:id, :mail, :mail, 'Ada', now())
""")
SEE = text("SELECT set_config('syncline.user', :id, true)")
SEED = text("INSERT INTO accounts.totp_device (user_id, sealed_secret, created_at) VALUES (:id, :seed, now())")
MAIL = text("""
    INSERT INTO accounts.outgoing_mail (id, kind, recipient, subject, sealed_text, created_at)
    VALUES (:id, 'verify_email', 'ada@example.com', 'Hello', :letter, now())
""")


async def add_stores(database: Database, tenant_id: TenantId, box: SecretBox, *tokens: str) -> None:
    async with database.writing(tenant_id) as session:
        for token in tokens:
            values = {"id": new_id(), "tenant": tenant_id, "name": token, "token": box.seal(token)}
            await session.execute(STORE, values)


async def tokens_of(database: Database, tenant_id: TenantId, box: SecretBox) -> list[str]:
    async with database.reading(tenant_id) as session:
        rows = await session.scalars(text("SELECT token_sealed FROM commerce.store ORDER BY name"))
        return [box.open(bytes(one)) for one in rows]


async def test_every_secret_is_sealed_with_the_newest_key_and_opens_as_before(
    database: Database, tenant_id: TenantId
) -> None:
    wanted = [f"token-{number:03}" for number in range(450)]
    await add_stores(database, tenant_id, SecretBox([OLD]), *wanted)
    assert await reseal(database, BOTH, TOKENS, owners=[tenant_id]) == 450
    assert await tokens_of(database, tenant_id, SecretBox([NEW])) == wanted
    assert await reseal(database, BOTH, TOKENS, owners=[tenant_id]) == 0


async def test_what_is_sealed_with_the_newest_key_already_is_left_alone(
    database: Database, tenant_id: TenantId
) -> None:
    await add_stores(database, tenant_id, SecretBox([OLD]), "a", "b")
    await add_stores(database, tenant_id, SecretBox([NEW]), "c")
    assert await reseal(database, BOTH, TOKENS, owners=[tenant_id]) == 2


async def test_only_the_owners_named_are_reached(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    await add_stores(database, other_tenant_id, SecretBox([OLD]), "theirs")
    assert await reseal(database, BOTH, TOKENS, owners=[tenant_id]) == 0
    assert await tokens_of(database, other_tenant_id, SecretBox([OLD])) == ["theirs"]


async def test_the_secrets_of_people_are_reached_whoever_they_are(database: Database) -> None:
    people = [new_id() for _ in range(130)]
    async with database.system() as session:
        for person in people:
            await session.execute(PERSON, {"id": person, "mail": f"{person}@example.com"})
            await session.execute(SEE, {"id": str(person)})
            await session.execute(SEED, {"id": person, "seed": SecretBox([OLD]).seal(f"seed of {person}")})
    assert await reseal(database, BOTH, SEEDS, owners=people) == 130
    async with database.system() as session:
        await session.execute(SEE, {"id": str(people[-1])})
        sealed = await session.scalar(text("SELECT sealed_secret FROM accounts.totp_device"))
    assert SecretBox([NEW]).open(bytes(sealed)) == f"seed of {people[-1]}"


async def test_rows_of_the_installation_are_reached_and_empty_ones_passed_over(database: Database) -> None:
    async with database.system() as session:
        for letter in [SecretBox([OLD]).seal("a letter"), None]:
            await session.execute(MAIL, {"id": new_id(), "letter": letter})
    assert await reseal(database, BOTH, MAILS) == 1
    async with database.system() as session:
        kept = (await session.scalars(text("SELECT sealed_text FROM accounts.outgoing_mail"))).all()
    assert [None if one is None else SecretBox([NEW]).open(bytes(one)) for one in kept if one] == ["a letter"]
    assert kept.count(None) == 1


async def test_a_secret_that_no_key_opens_is_said_and_nothing_of_its_batch_changed(
    database: Database, tenant_id: TenantId
) -> None:
    await add_stores(database, tenant_id, SecretBox([OLD]), "good")
    await add_stores(database, tenant_id, SecretBox([Fernet.generate_key().decode()]), "lost")
    with pytest.raises(SecretKeyMissing):
        await reseal(database, BOTH, TOKENS, owners=[tenant_id])
    async with database.reading(tenant_id) as session:
        first = await session.scalar(text("SELECT token_sealed FROM commerce.store WHERE name = 'good'"))
    assert SecretBox([OLD]).open(bytes(first)) == "good"
