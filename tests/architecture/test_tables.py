"""Tables stay in their app, and no tenant's row can be seen by another."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import MetaData, Table

from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.privacy.repository import AUTHORED
from syncline.main.targets import APPS, migration_sources
from syncline.runtime.db.migrate import differences
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.sealed import Whose

# Not bound to one tenant. Each has its reason; every other table has a tenant_id and a policy.
_QUEUE = "the worker serves all tenants; nothing of it is shown over HTTP without a filter of its own"
_BUS = "the relay serves all tenants"
SHARED_TABLES = {
    "accounts.tenant": "the directory, read before a tenant is known; holds names only",
    "accounts.user_account": "found by e-mail before a tenant is known; a person may belong to several",
    "accounts.refresh_token": "a person's own: bound to him by a policy, in whichever tenant he is",
    "accounts.one_time_token": "a person's own, like the refresh tokens",
    "accounts.totp_device": "a person's own, and sealed",
    "accounts.recovery_code": "a person's own, and hashed",
    "accounts.sign_in_challenge": "a person's own: between the first and the second step of a sign-in",
    "accounts.oidc_identity": "found by what a provider says, before a person is known",
    "accounts.oidc_flow": "a sign-in on its way, before anybody is known; secrets are digests or sealed",
    "accounts.profile": "a person's own; a tenant may read those of its members, which another policy says",
    "accounts.outgoing_mail": "to people, who may belong to no tenant yet; what holds a token is sealed",
    "accounts.sign_in_throttle": "counted before anybody is known; holds digests and addresses",
    "accounts.signing_key": "one set for the installation; the private half is sealed",
    "syncline.version": "where the migrations stand",
    "jobs.pgqueuer": _QUEUE,
    "jobs.pgqueuer_log": _QUEUE,
    "jobs.pgqueuer_schedules": _QUEUE,
    "jobs.pgqueuer_statistics": _QUEUE,
    "jobs.dead_letter": _QUEUE,
    "jobs.schedule": _QUEUE,
    "bus.outbox": _BUS,
    "bus.subscription": _BUS,
    "bus.delivery": _BUS,
    "bus.inbox": _BUS,
    "bus.dead_letter": _BUS,
    "controls.installation": "what is stopped for every tenant; one row, written from the command line",
    "controls.limit_rate": "limits that hold for every tenant; written from the command line",
    "commerce.schedule_due": "one tick looks for all tenants; holds ids and times only",
    "commerce.webhook_refusal": "who knocked and was nobody's shop; holds what was claimed, and counts",
    "commerce.webhook_dead": "dead letters are counted for all tenants at once; holds ids only",
    "commerce.shop_directory": "asked before a tenant is known; holds ids, addresses of shops, ids of apps and times",
    "outreach.directory": "whose a run or a webhook's door is, before a tenant is known; holds ids and digests only",
    "commerce.change_expiry": "looked through for all tenants at once; holds ids and times only",
}


@pytest.fixture(scope="module")
def metadata() -> dict[str, MetaData]:
    """App -> its tables, every `models.py` imported."""
    return {app.name: found for app in APPS for found in [_metadata_of(app.name)]}


def _metadata_of(app: str) -> MetaData:
    package = importlib.import_module(f"syncline.apps.{app}")
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    models = [importlib.import_module(name) for name in names if name.rpartition(".")[2] == "models"]
    tables = [item for module in models for item in vars(module).values() if isinstance(item, Table)]
    mapped = [item.__table__ for module in models for item in vars(module).values() if hasattr(item, "__table__")]
    only: MetaData
    (only,) = {table.metadata for table in [*tables, *mapped]}
    return only


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        yield connection


def test_every_table_lies_in_the_schema_of_its_app(metadata: dict[str, MetaData]) -> None:
    strays = {
        f"{app}: {table.fullname}"
        for app, one in metadata.items()
        for table in one.tables.values()
        if table.schema != app
    }
    assert strays == set()


def test_no_foreign_key_leaves_its_app(metadata: dict[str, MetaData]) -> None:
    leaving = {
        f"{table.fullname} -> {key.target_fullname}"
        for app, one in metadata.items()
        for table in one.tables.values()
        for key in table.foreign_keys
        if not key.target_fullname.startswith(f"{app}.")
    }
    assert leaving == set()


def test_no_foreign_key_in_the_database_leaves_its_schema(operator: psycopg.Connection) -> None:
    leaving = operator.execute(
        """
        SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint c
        JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
        WHERE c.contype = 'f' AND a.relnamespace <> b.relnamespace
        """
    ).fetchall()
    assert leaving == []


def test_the_migrated_database_is_what_the_models_say(
    metadata: dict[str, MetaData], database_settings: DatabaseSettings
) -> None:
    assert differences(str(database_settings.admin_url), list(metadata.values())) == []


def test_the_schemas_are_the_apps_and_the_runtimes_own(operator: psycopg.Connection) -> None:
    found = operator.execute(
        r"SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'"
    ).fetchall()
    runtime = {"public", "syncline", "jobs", "bus", "audit", "controls", "live"}
    assert {name for (name,) in found} == {app.name for app in APPS} | runtime
    assert {source.name for source in migration_sources()} == {app.name for app in APPS} | {"runtime"}


def test_every_tenant_table_forces_row_level_security_with_a_policy_for_reading_and_writing(
    operator: psycopg.Connection,
) -> None:
    tables = operator.execute(
        """
        SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity AND a.attnotnull,
               (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
                  AND pg_get_expr(p.polqual, c.oid) LIKE '%%syncline.tenant%%'
                  AND pg_get_expr(p.polwithcheck, c.oid) LIKE '%%syncline.tenant%%')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE %s
        """,
        [r"pg\_%"],
    ).fetchall()
    protected = {name for name, is_forced, policies in tables if is_forced and policies == 1}
    assert {name for name, *_ in tables} - protected == set(SHARED_TABLES)
    assert "accounts.api_key" in protected


def test_the_role_that_works_can_neither_bypass_policies_nor_own_tables(operator: psycopg.Connection) -> None:
    role = operator.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'syncline_app'").fetchone()
    owned = operator.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = 'syncline_app'"
    ).fetchone()
    assert role == (False, False)
    assert owned == (0,)


def test_every_sealed_column_is_declared_by_its_app_so_that_it_follows_a_new_key(operator: psycopg.Connection) -> None:
    found = operator.execute(
        r"""
        SELECT format('%I.%I.%I', table_schema, table_name, column_name) FROM information_schema.columns
        WHERE column_name ~ '(^|_)sealed(_|$)'
        """
    ).fetchall()
    declared = {f"{column.name}": app.name for app in APPS for column in app.sealed}
    assert {name for (name,) in found} == set(declared)
    assert {name: name.partition(".")[0] for name in declared} == declared


def test_whose_a_sealed_column_is_said_to_be_is_what_the_database_enforces(operator: psycopg.Connection) -> None:
    for_whom = {Whose.TENANT: "tenant_id", Whose.PERSON: "user_id"}
    policies = operator.execute(
        "SELECT schemaname || '.' || tablename, string_agg(qual, ' ') FROM pg_policies GROUP BY 1"
    ).fetchall()
    enforced = {
        table: [whose for whose, column in for_whom.items() if f"{column} =" in rule] for table, rule in policies
    }
    wrong = [
        column.name
        for app in APPS
        for column in app.sealed
        if enforced.get(column.table, [Whose.INSTALLATION]) != [column.whose]
    ]
    assert wrong == []


# Of the tables that hold customers and what they bought: columns that say nothing of anybody by themselves. Any other
# is emptied by an erasure, so that a new column has to be thought about.
_SAYS_NOTHING = {
    "customer": "state locale is_email_verified is_tax_exempt orders_count amount_spent created_at",
    "shop_order": "name customer_id financial_status fulfillment_status currency presentment_currency total subtotal"
    " tax discounts shipping refunded current_total discount_codes source_name is_test taxes_included ship_to_province"
    " ship_to_country cancel_reason created_at processed_at cancelled_at closed_at",
    "refund": "order_id created_at amount",
    "refund_line": "order_id refund_id line_id quantity restock_type is_restocked location_id price subtotal tax",
    "customer_metafield": "customer_id namespace key type created_at",
    "order_metafield": "order_id namespace key type created_at",
    "fulfillment": "order_id name status display_status quantity location_id created_at updated_at",
}
_OF_EVERY_ROW = {
    *("store_id", "id", "tenant_id", "source_updated_at", "line_hash", "content_hash", "synced_at", "deleted_at"),
}


@pytest.mark.parametrize("table", _SAYS_NOTHING)
def test_every_column_about_a_customer_is_emptied_by_an_erasure_or_says_nothing(table: str) -> None:
    found = {kind.table.name: (kind.table, kind.personal) for kind in KINDS.values()}
    found |= {part.table.name: (part.table, part.personal) for kind in KINDS.values() for part in kind.parts}
    made, personal = found[table]
    emptied = {name for name, _ in personal}
    assert set(made.c.keys()) - _OF_EVERY_ROW - emptied == set(_SAYS_NOTHING[table].split())


# Columns that say who somebody is, and the tables of accounts that an erasure reaches by them. One that is not among
# them has to be thought about: `src/syncline/apps/accounts/privacy/held`.
_ABOUT_PEOPLE = {
    *("user_id", "email", "email_key", "recipient", "created_by", "requested_by", "changed_by", "recorded_by"),
    *("first_id", "blocker_id", "blocked_id", "asked_by", "account"),
}
_REACHED = (
    "api_key block consent data_subject erasure friendship invitation membership oidc_flow oidc_identity oidc_provider"
    " one_time_token outgoing_mail personal_export profile recovery_code refresh_token retention_setting session"
    " sign_in_challenge sign_in_throttle totp_device user_account visibility"
)


def test_every_table_of_accounts_about_people_is_reached_by_an_erasure(metadata: dict[str, MetaData]) -> None:
    tables = metadata["accounts"].tables.values()
    assert sorted(table.name for table in tables if _ABOUT_PEOPLE & set(table.c.keys())) == _REACHED.split()


def test_every_column_of_commerce_that_names_who_did_something_is_reached_by_an_erasure(
    metadata: dict[str, MetaData],
) -> None:
    told = {"author", "reviewer", "requested_by", "created_by", "changed_by", "assignee"}
    found = {(one.name, name) for one in metadata["commerce"].tables.values() for name in told & set(one.c.keys())}
    assert found == {(table.name, column.name) for table, column in AUTHORED}
