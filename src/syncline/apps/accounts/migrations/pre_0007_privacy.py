"""Consents and choices of people, exports and erasures of their data, and how long data is kept."""

from __future__ import annotations

from alembic import op

from syncline.runtime.db.isolation import isolate_tenant
from syncline.runtime.db.names import APP_ROLE

revision = "accounts_0007"
down_revision = "accounts_0006"
branch_labels = None
depends_on = None

DEFINITION = """
CREATE TABLE accounts.data_subject (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    email_key text,
    record text,
    may_not_be_sold boolean NOT NULL,
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CONSTRAINT pk_data_subject PRIMARY KEY (id),
    CONSTRAINT uq_data_subject_tenant_id_email_key UNIQUE (tenant_id, email_key),
    CONSTRAINT uq_data_subject_tenant_id_record UNIQUE (tenant_id, record)
);
COMMENT ON TABLE accounts.data_subject IS 'Who consented or chose; emptied by an erasure, while the history stays.';

CREATE TABLE accounts.consent (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    document text NOT NULL,
    version text NOT NULL,
    is_given boolean NOT NULL,
    method text NOT NULL,
    at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_consent PRIMARY KEY (id),
    CONSTRAINT fk_consent_subject_id FOREIGN KEY (subject_id) REFERENCES accounts.data_subject (id)
);
CREATE INDEX ix_consent_subject_id ON accounts.consent (subject_id);
COMMENT ON TABLE accounts.consent IS 'Append-only: the application role may neither change nor remove a row.';

CREATE TABLE accounts.privacy_key (
    tenant_id uuid NOT NULL,
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_privacy_key PRIMARY KEY (tenant_id)
);

CREATE TABLE accounts.personal_export (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    digests bytea[] NOT NULL,
    sealed_subject bytea,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz NOT NULL,
    size_bytes bigint,
    manifest jsonb,
    error text,
    CONSTRAINT pk_personal_export PRIMARY KEY (id)
);
CREATE INDEX ix_personal_export_tenant_id_id ON accounts.personal_export (tenant_id, id);

CREATE TABLE accounts.personal_export_part (
    id uuid NOT NULL,
    export_id uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    sealed_bytes bytea NOT NULL,
    CONSTRAINT pk_personal_export_part PRIMARY KEY (id),
    CONSTRAINT uq_personal_export_part_export_id_number UNIQUE (export_id, number),
    CONSTRAINT fk_personal_export_part_export_id FOREIGN KEY (export_id)
        REFERENCES accounts.personal_export (id) ON DELETE CASCADE
);

CREATE TABLE accounts.erasure (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    keep_out boolean NOT NULL,
    digests bytea[] NOT NULL,
    sealed_subject bytea,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    error text,
    CONSTRAINT pk_erasure PRIMARY KEY (id)
);
CREATE INDEX ix_erasure_tenant_id_id ON accounts.erasure (tenant_id, id);

CREATE TABLE accounts.erasure_step (
    erasure_id uuid NOT NULL,
    app text NOT NULL,
    tenant_id uuid NOT NULL,
    counts jsonb,
    finished_at timestamptz,
    CONSTRAINT pk_erasure_step PRIMARY KEY (erasure_id, app),
    CONSTRAINT fk_erasure_step_erasure_id FOREIGN KEY (erasure_id) REFERENCES accounts.erasure (id) ON DELETE CASCADE
);

CREATE TABLE accounts.retention_setting (
    tenant_id uuid NOT NULL,
    rule text NOT NULL,
    days integer,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_retention_setting PRIMARY KEY (tenant_id, rule)
);
"""
TABLES = (
    "data_subject",
    "consent",
    "privacy_key",
    "personal_export",
    "personal_export_part",
    "erasure",
    "erasure_step",
    "retention_setting",
)


def upgrade() -> None:
    op.get_bind().exec_driver_sql(DEFINITION)
    for table in TABLES:
        isolate_tenant(f"accounts.{table}")
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON accounts.consent FROM {APP_ROLE}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="accounts")
