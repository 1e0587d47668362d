"""Addresses that a user may give us (a webhook to call, an image to fetch, a provider to sign in with) must not lead
into the operator's own network: the outer guard against server-side request forgery.

A name is resolved here, every address it has is judged, and the connection is made to one of those very addresses, so
that a name that answers differently the second time (DNS rebinding) gains nothing. Redirects pass the same door.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from syncline.kernel.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A name and port to the addresses it has, as text. Raises `OSError` when it has none."""

_ALSO_REFUSED: tuple[Network, ...] = (
    ip_network("168.63.129.16/32"),  # Azure's wire server: a public address that answers inside (Microsoft, 2026-11)
    ip_network("192.0.0.0/24"),  # IETF protocol assignments; Oracle's metadata is 192.0.0.192
    ip_network("64:ff9b:1::/48"),  # NAT64 for local use (RFC 8215)
    ip_network("fec0::/10"),  # site-local, deprecated by RFC 3879 and still routed by some
)
_NO_ADDRESS = "This is no address: give a URL like https://hooks.example.com/path."
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


class AddressRefused(InvalidInput):
    code = "NET_001"
    title = "This address may not be called"


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be called. `hosts` and `networks` are the operator's exceptions: a host by its exact name, whatever its
    address; a network for whatever name."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = field(default=())

    def check(self, url: str) -> tuple[str, int]:
        """Host and port of `url`. Raises `AddressRefused` for what can be told without looking the name up."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            httpx.URL(url)  # whose rules are stricter, and which is what calls it later
            host.rstrip(".").encode("idna")  # as the look-up does: no part of a name is empty or too long
        except (ValueError, httpx.InvalidURL) as error:
            raise AddressRefused(_NO_ADDRESS) from error
        if parts.scheme not in {"http", "https"} or not host.rstrip("."):
            raise AddressRefused("Give an address that begins with https:// or http://.")
        if parts.username is not None or parts.password is not None:
            raise AddressRefused("Leave name and password out of the address.")
        if port == 0:
            raise AddressRefused(_NO_ADDRESS)
        name = host.rstrip(".").lower()
        literal = _as_address(name)
        if literal is not None:
            self.judge(name, [literal])
        return name, port or (443 if parts.scheme == "https" else 80)

    def excepts(self, url: str) -> bool:
        """Whether the operator named this very host or address: what he says of it outweighs what is usual. Raises
        `AddressRefused`."""
        name, _ = self.check(url)
        literal = _as_address(name)
        named = literal is not None and any(literal.version == net.version and literal in net for net in self.networks)
        return name in self.hosts or named

    def judge(self, host: str, addresses: Iterable[Address]) -> None:
        """Raises `AddressRefused` if any of `addresses`, which `host` has, leads inside: whoever controls the name
        could choose which of them we take."""
        if host in self.hosts:
            return
        for address in addresses:
            if any(address.version == net.version and address in net for net in self.networks):
                continue
            if leads_inside(address):
                # Not which address it was: the answer must not tell a stranger what names mean inside.
                raise AddressRefused(
                    f"{host} leads to a private or local address, which may not be called. If it is meant, the operator"
                    " can allow it with SYNCLINE_OUTGOING_ALLOW."
                )


def allowing(told: Iterable[str]) -> Guard:
    """From the operator's list: networks (`10.1.0.0/16`), addresses and host names. Raises `ValueError`."""
    hosts, networks = set[str](), list[Network]()
    for one in told:
        if "://" in one or any(letter.isspace() for letter in one):
            raise ValueError(f"“{one}” is neither a network like 10.1.0.0/16 nor a host like hooks.internal")
        try:
            networks.append(ip_network(one))
        except ValueError:
            if "/" in one:
                raise
            hosts.add(one.rstrip(".").lower())
    return Guard(frozenset(hosts), tuple(networks))


def leads_inside(address: Address) -> bool:
    """Whether it is anything but an ordinary public address, also behind the ways to write IPv4 in IPv6."""
    inner = _within(address)
    if inner is not None and leads_inside(inner):
        return True
    if any(address.version == net.version and address in net for net in _ALSO_REFUSED):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified


def _within(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _as_address(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


async def resolve(host: str, port: int) -> Sequence[str]:
    """By the system, off the event loop."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class GuardedTransport(httpx.AsyncBaseTransport):
    """For an `httpx.AsyncClient` that calls addresses users gave. Raises `AddressRefused` before anything is sent;
    `httpx.ConnectError` for a name that is not known."""

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        lookup: Resolve = resolve,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._guard = guard or Guard()
        self._lookup = lookup
        # Connections are not kept: two names on one address would share one, whose certificate was shown for the first.
        self._inner = inner or httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = self._guard.check(str(request.url))
        try:
            found = await self._lookup(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{host} is not known", request=request) from error
        addresses = [address for text in found if (address := _as_address(text)) is not None]
        if not addresses:
            raise httpx.ConnectError(f"{host} has no address", request=request)
        self._guard.judge(host, addresses)
        return await self._inner.handle_async_request(_pinned(request, addresses[0]))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The same request to this address; name and certificate are still those of the host."""
    headers = httpx.Headers(request.headers)
    headers["Host"] = request.url.netloc.decode("ascii")
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )
