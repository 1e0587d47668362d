"""Who really calls, when a proxy stands before us: only a proxy that the operator listed is believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network


def networks(told: Iterable[str]) -> tuple[Network, ...]:
    """`10.0.0.0/8` or `10.1.2.3`, each. Raises `ValueError`."""
    return tuple(ip_network(one) for one in told)


class TrustedProxies:
    """Replaces the client's address and scheme by what a listed proxy says of them.

    `X-Forwarded-For` is read from the right, where our own proxies write: the first address that is none of them is the
    caller. What stands left of it was written by the caller and is worth nothing.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self.app = app
        self.trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope.get("client") and self._is_trusted(scope["client"][0]):
            headers = Headers(scope=scope)
            scope["client"] = (self._caller(headers, str(scope["client"][0])), 0)
            told = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if told in {"http", "https"}:
                is_socket = scope["type"] == "websocket"
                scope["scheme"] = told.replace("http", "ws") if is_socket else told
        await self.app(scope, receive, send)

    def _caller(self, headers: Headers, proxy: str) -> str:
        caller = proxy
        for written in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            address = _plain(written)
            if address is None:
                break  # not an address: whoever wrote it is the last one we know
            caller = address
            if not self._is_trusted(address):
                break
        return caller

    def _is_trusted(self, host: str) -> bool:
        plain = _plain(host)
        if plain is None:
            return False
        address = ip_address(plain)
        return any(address.version == net.version and address in net for net in self.trusted)


def _plain(text: str) -> str | None:
    """An address as we write it, without port, brackets or IPv4 in IPv6; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
