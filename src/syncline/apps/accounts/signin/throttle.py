"""How long an address has to wait before it may try an account again.

Per account *and* address: whoever guesses waits, the account's owner, who comes from elsewhere, does not. An IPv6
customer has at least a /64, so that counts as one address.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

FORGOTTEN_AFTER = timedelta(days=1)


def wait_after(failures: int, *, free: int, longest: timedelta) -> timedelta:
    """Nothing for the first `free` - 1 failures, then 1 s, 2 s, 4 s ..., at most `longest`."""
    if failures < free:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - free, 40)), longest)


def account_digest(email_key: str) -> bytes:
    """Addresses that were only typed are not kept in clear: people type their passwords into the wrong field."""
    return hashlib.sha256(email_key.encode()).digest()


def address_group(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Network((found, 64), strict=False))
    return str(found)
