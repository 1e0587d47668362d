"""A webhook's address, looked at before anything is promised: what leads inside is refused with the request, not hours
later with the first attempt. The attempt itself looks again, for a name may answer differently then."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from syncline.apps.outreach.sync_contract import SyncRefused
from syncline.kernel.errors import FieldError
from syncline.runtime.connect.guard import AddressRefused, Guard, resolve


async def check(guard: Guard, url: str) -> None:
    """Raises `SyncRefused`. A name that nobody knows at the moment is let through: it may be known by then."""
    try:
        host, port = guard.check(url)
        guard.judge(host, await _addresses(host, port))
    except AddressRefused as error:
        message = f"webhookUrl: {error.sentence}"
        raise SyncRefused(message, fields=[FieldError("webhookUrl", error.sentence)]) from error


async def _addresses(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        return [ip_address(one.partition("%")[0]) for one in await resolve(host, port)]
    except OSError:
        return []
