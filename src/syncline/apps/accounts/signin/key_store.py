"""The keys that sign access tokens: kept sealed in the database, shared by all processes, looked up in memory."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import OKPKey
from sqlalchemy import Row

from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import repository
from syncline.apps.accounts.signin.access_token import ALGORITHM
from syncline.apps.accounts.signin.key_plan import KeyPlan, KeyTimes, plan_keys
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.secrets import SecretBox

_FRESH = timedelta(minutes=1)
_LOOK_AGAIN = timedelta(seconds=1)
"""An unknown key is looked for at most this often, so that made-up ones do not become queries."""


class KeyStore:
    def __init__(self, database: Database, secrets: SecretBox, settings: AccountsSettings) -> None:
        self._database = database
        self._secrets = secrets
        self._settings = settings
        self._lock = asyncio.Lock()
        self._public: dict[str, OKPKey] = {}
        self._signer: OKPKey | None = None
        self._read_at: datetime | None = None

    async def signer(self) -> OKPKey:
        """The key to sign with now; the first one is made on the way, and the next one in good time."""
        await self._refresh(_FRESH)
        assert self._signer is not None
        return self._signer

    async def public_key(self, kid: str) -> OKPKey | None:
        await self._refresh(_FRESH)
        if kid not in self._public:
            await self._refresh(_LOOK_AGAIN)
        return self._public.get(kid)

    async def published(self) -> Sequence[dict[str, Any]]:
        """The JSON Web Keys (RFC 7517) of everything that may have signed a token that is still good, or soon will."""
        await self._refresh(_FRESH)
        return [
            {**dict(key.as_dict(private=False)), "kid": kid, "use": "sig", "alg": ALGORITHM}
            for kid, key in sorted(self._public.items())
        ]

    async def rotate(self) -> str:
        """Publish a new key now; it signs after the usual lead. Answers its id."""
        async with self._database.system() as session:
            await repository.lock_signing_keys(session)
            kid = await self._make(session, clock.now() + self._settings.signing_key_lead)
        self._read_at = None
        return kid

    async def _refresh(self, age: timedelta) -> None:
        if self._is_fresh(age):
            return
        async with self._lock:
            if self._is_fresh(age):
                return
            async with self._database.system() as session:
                rows = await self._with_a_signer(session)
            self._take(rows)

    def _is_fresh(self, age: timedelta) -> bool:
        # A clock that was set back must not make what is in memory good for ever.
        return self._read_at is not None and abs(clock.now() - self._read_at) < age

    async def _with_a_signer(self, session: WriteSession) -> Sequence[Row[Any]]:
        rows = await repository.list_signing_keys(session)
        if self._plan(rows).new_signs_from is None:
            return rows
        await repository.lock_signing_keys(session)
        rows = await repository.list_signing_keys(session)
        plan = self._plan(rows)  # another process may have been first
        if plan.new_signs_from is not None:
            await self._make(session, plan.new_signs_from)
            await repository.delete_signing_keys(session, {row.kid for row in rows} - plan.published)
        return await repository.list_signing_keys(session)

    async def _make(self, session: WriteSession, signs_from: datetime) -> str:
        made = Ed25519PrivateKey.generate()
        raw = made.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        public = made.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        kid = new_id().hex
        values = {
            "kid": kid,
            "public_key": public,
            "sealed_key": self._secrets.seal(base64.b64encode(raw).decode()),
            "created_at": clock.now(),
            "signs_from": signs_from,
        }
        await repository.insert_signing_key(session, values)
        return kid

    def _plan(self, rows: Sequence[Row[Any]]) -> KeyPlan:
        return plan_keys(
            [KeyTimes(row.kid, row.signs_from) for row in rows],
            now=clock.now(),
            lifetime=self._settings.signing_key_lifetime,
            lead=self._settings.signing_key_lead,
            token_lifetime=self._settings.access_lifetime,
        )

    def _take(self, rows: Sequence[Row[Any]]) -> None:
        plan = self._plan(rows)
        self._public = {row.kid: _public(row) for row in rows if row.kid in plan.published}
        (row,) = [row for row in rows if row.kid == plan.signer]
        if self._signer is None or self._signer.kid != row.kid:
            self._signer = self._private(row)
        self._read_at = clock.now()

    def _private(self, row: Row[Any]) -> OKPKey:
        raw = base64.b64decode(self._secrets.open(row.sealed_key))
        pem = Ed25519PrivateKey.from_private_bytes(raw).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return OKPKey.import_key(pem, {"kid": row.kid})


def _public(row: Row[Any]) -> OKPKey:
    pem = Ed25519PublicKey.from_public_bytes(bytes(row.public_key)).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return OKPKey.import_key(pem, {"kid": row.kid})
