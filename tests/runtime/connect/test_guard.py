from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address

import httpx
import pytest

from syncline.runtime.connect.guard import AddressRefused, Guard, GuardedTransport, allowing, leads_inside

PUBLIC = "93.184.216.34"

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_leads_inside_is_seen_however_it_is_written(address: str) -> None:
    assert leads_inside(ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:831::200e"])
def test_an_ordinary_address_is_not(address: str) -> None:
    assert not leads_inside(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "gopher://hooks.example.com",
        "https://",
        "https:///path",
        "https://..",
        "https://me:secret@hooks.example.com/",
        "https://hooks.example.com:99999/",
        "https://[::1/",
        "https://hooks.example.com:0/",
        "https://hooks..example.com/",
        f"https://{'x' * 64}.example.com/",
        "https://ho\u00adoks.example.com/",
        "https://256.256.256.256/",
        "https://hooks.example.com/\ud800",
        "http://127.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25eth0]/",
    ],
)
def test_a_bad_address_is_refused_without_asking_anybody(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Guard().check(url)
    assert refused.value.status == 400
    assert "secret" not in refused.value.sentence


def test_a_good_address_gives_host_and_port() -> None:
    assert Guard().check("https://Hooks.Example.com./a?b") == ("hooks.example.com", 443)
    assert Guard().check("http://hooks.example.com:8080/") == ("hooks.example.com", 8080)


@pytest.mark.parametrize("told", ["https://hooks.internal", "10.1.0.0/33", "two words", "10.1.2.3/16"])
def test_an_operators_list_that_makes_no_sense_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        allowing([told])


class Names:
    """What names mean; each look-up gives the next answer of its name, the last one for ever."""

    def __init__(self, **names: list[Sequence[str]]) -> None:
        self.names = names
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.names.get(host.partition(".")[0])
        if answers is None:
            raise OSError("unknown")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Wire(httpx.AsyncBaseTransport):
    """Notes where connections would have gone, and answers."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.sent: list[httpx.Request] = []
        self._answers = list(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self._answers.pop(0) if self._answers else httpx.Response(200)


def client(names: Names, wire: Wire, guard: Guard | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=GuardedTransport(guard, lookup=names, inner=wire), follow_redirects=True)


async def test_the_connection_goes_to_the_very_address_that_was_judged() -> None:
    wire, names = Wire(), Names(hooks=[[PUBLIC]])
    async with client(names, wire) as calls:
        answer = await calls.post("https://hooks.example.com:8443/x?y=1", content=b"body")
    (sent,) = wire.sent
    assert (sent.url.host, sent.url.port, sent.url.raw_path) == (PUBLIC, 8443, b"/x?y=1")
    assert sent.headers["host"] == "hooks.example.com:8443"
    assert sent.extensions["sni_hostname"] == "hooks.example.com"
    assert names.asked == ["hooks.example.com"]
    assert answer.request.url.host == "hooks.example.com"


async def test_a_name_that_changes_its_meaning_gains_nothing() -> None:
    names = Names(rebinding=[[PUBLIC], ["127.0.0.1"]])
    wire = Wire()
    async with client(names, wire) as calls:
        await calls.get("http://rebinding.example.com/")
        with pytest.raises(AddressRefused):
            await calls.get("http://rebinding.example.com/")
    assert [sent.url.host for sent in wire.sent] == [PUBLIC]


async def test_one_bad_address_among_good_ones_is_enough() -> None:
    wire = Wire()
    async with client(Names(mixed=[[PUBLIC, "10.0.0.1"]]), wire) as calls:
        with pytest.raises(AddressRefused, match=r"mixed\.example\.com leads to a private") as refused:
            await calls.get("http://mixed.example.com/")
    assert "10.0.0.1" not in refused.value.sentence
    assert wire.sent == []


@pytest.mark.parametrize("target", ["http://127.0.0.1/admin", "http://inside.example.com/", "file:///etc/passwd"])
async def test_a_redirect_passes_through_the_same_door(target: str) -> None:
    wire = Wire(httpx.Response(302, headers={"Location": target}))
    async with client(Names(hooks=[[PUBLIC]], inside=[["192.168.0.5"]]), wire) as calls:
        with pytest.raises((AddressRefused, httpx.UnsupportedProtocol)):
            await calls.get("http://hooks.example.com/")
    assert len(wire.sent) == 1


@pytest.mark.parametrize("name", ["2130706433", "0x7f000001", "127.1", "localhost"])
async def test_loopback_by_another_name_is_found_by_the_system(name: str) -> None:
    async def as_the_system_does(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with httpx.AsyncClient(transport=GuardedTransport(lookup=as_the_system_does, inner=Wire())) as calls:
        with pytest.raises(AddressRefused):
            await calls.get(f"http://{name}/")


async def test_a_name_nobody_knows_is_a_connection_that_failed() -> None:
    async with client(Names(empty=[[]]), Wire()) as calls:
        with pytest.raises(httpx.ConnectError, match="is not known"):
            await calls.get("http://nowhere.example.com/")
        with pytest.raises(httpx.ConnectError, match="has no address"):
            await calls.get("http://empty.example.com/")


async def test_the_operator_may_allow_a_host_and_a_network() -> None:
    wire = Wire()
    guard = allowing(["hooks.internal", "10.1.0.0/16"])
    async with client(Names(hooks=[["192.168.0.5"]], near=[["10.1.2.3"]], far=[["10.2.0.1"]]), wire, guard) as calls:
        await calls.get("http://hooks.internal/")
        await calls.get("http://near.example.com/")
        with pytest.raises(AddressRefused):
            await calls.get("http://far.example.com/")
    assert [sent.url.host for sent in wire.sent] == ["192.168.0.5", "10.1.2.3"]


@pytest.fixture
async def local_server() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        host = next(line for line in head.splitlines() if line.lower().startswith("host:"))
        body = host.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_over_a_real_connection_the_host_is_still_named(local_server: int) -> None:
    names = Names(hooks=[["127.0.0.1"]])
    transport = GuardedTransport(allowing(["127.0.0.0/8"]), lookup=names)
    async with httpx.AsyncClient(transport=transport) as calls:
        answer = await calls.get(f"http://hooks.example.com:{local_server}/")
    assert answer.text.lower() == f"host: hooks.example.com:{local_server}"


async def test_without_the_exception_nothing_reaches_the_local_server(local_server: int) -> None:
    async with httpx.AsyncClient(transport=GuardedTransport(lookup=Names(hooks=[["127.0.0.1"]]))) as calls:
        with pytest.raises(AddressRefused):
            await calls.get(f"http://hooks.example.com:{local_server}/")
