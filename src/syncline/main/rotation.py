"""A new key for the secrets at rest, and every secret of every app sealed with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import text

from syncline.apps.accounts.contract import KeyRing
from syncline.kernel.errors import Conflict
from syncline.runtime.app import App, Runtime
from syncline.runtime.sealed import Whose, reseal

_MOST_PASSES = 5
_TAKE_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('syncline rotate-encryption', 0))")


class RotationUnderWay(Conflict):
    code = "SEC_002"
    title = "Secrets are being sealed again already"


async def rotate(runtime: Runtime, apps: Sequence[App], *, add_key: Callable[[], object] | None) -> Mapping[str, int]:
    """Puts a new key in front with `add_key`, if given, and seals again what an older key sealed; answers how many per
    column. Whole when it returns: it goes over everything until a pass finds nothing more, for a process that was
    sealing while the key came may have used the old one.

    Safe to stop and to run again. Raises `RotationUnderWay` while another process does it, `SecretKeyMissing` for a
    secret that no key opens.
    """
    async with runtime.database.system() as turn:
        if not await turn.scalar(_TAKE_TURN):  # held until the end of this block, and let go when the process dies
            raise RotationUnderWay("Another process seals the secrets again. Wait for it to end, then run this again.")
        if add_key is not None:
            add_key()
        return await _until_nothing_is_left(runtime, apps)


async def _until_nothing_is_left(runtime: Runtime, apps: Sequence[App]) -> Mapping[str, int]:
    counts = {column.name: 0 for app in apps for column in app.sealed}
    for _ in range(_MOST_PASSES):
        found = await _once(runtime, apps)
        counts = {name: counts[name] + many for name, many in found.items()}
        if not any(found.values()):
            break
    return counts


async def _once(runtime: Runtime, apps: Iterable[App]) -> Mapping[str, int]:
    ring = runtime.contract(KeyRing)
    owners = {
        Whose.INSTALLATION: (),
        Whose.TENANT: await ring.list_tenant_ids(),
        Whose.PERSON: await ring.list_person_ids(),
    }
    return {
        column.name: await reseal(runtime.database, runtime.secrets, column, owners=owners[column.whose])
        for app in apps
        for column in app.sealed
    }
