"""A storm of webhooks, with everything that goes wrong: at its end the mirror equals the store, each delivery was
applied once, and none is lost.

    python -m bench.webhook_storm [--events 200000] [--products 2000] [--kills 10] [--restarts 2] [--write-docs]

A sandbox store is edited; each edit is a webhook, signed as Shopify signs. One in five is delivered twice, one in ten
comes late, and beside one in a hundred comes a forged one with another title. Meanwhile the worker is killed (-9) and
the database is restarted. Whoever is not answered with 200 sends again, as Shopify does. Then both ends are counted:
deliveries that were answered, rows that are stored, rows that are settled; and store and mirror are compared, record
by record and field by field. Ends with an error when anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import uvloop
from bench.harness import STORE, Bench, machine, opened, print_table, write_between
from sqlalchemy import text

from syncline.apps.commerce.contract import PullMode, Reconciliation
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.webhooks import claims, repository
from syncline.apps.commerce.webhooks.writing import enqueue_apply
from syncline.connectors.shopify.webhooks import sign
from syncline.kernel import clock
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.jobs.testing import eventually
from syncline.sandbox.server import running
from syncline.sandbox.shopify import payloads
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.entities import Product
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import NewVariant, Shop, Store

PAGE = Path("docs/explanation/performance.md")
SECRET = "shpss_storm"
SENDERS = 32
_LONG = 3_600.0
_STATES = text(
    "SELECT state, count(*) AS rows, count(DISTINCT delivery_id) AS deliveries FROM commerce.webhook_event"
    " WHERE store_id = :store GROUP BY state"
)
_READINGS = text("SELECT count(*) FROM commerce.webhook_reading WHERE store_id = :store")
_KILLED = text("SELECT id FROM commerce.webhook_event WHERE store_id = :store AND state = 'dead' AND reason = :reason")


@dataclass(slots=True)
class Sent:
    topic: str
    body: bytes
    delivery_id: str
    is_forged: bool = False


@dataclass
class Storm:
    """What is to be sent, and what was answered."""

    store: Store
    left: int
    dice: random.Random
    late: deque[tuple[int, Sent]] = field(default_factory=deque)
    again: deque[Sent] = field(default_factory=deque)
    numbers: list[int] = field(default_factory=list)
    made: int = 0
    answered: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def next(self) -> Sent | None:
        """The next to send: one that comes twice, one that is late, or what an edit makes."""
        if self.again and self.dice.random() < 0.2:
            return self.again.popleft()
        if self.late and (self.late[0][0] <= self.made or not self.left):
            return self.late.popleft()[1]
        while self.left:
            self.left -= 1
            self.made += 1
            one = self._edit()
            if self.dice.random() < 0.2:
                self.counts["twice"] += 1
                self.again.append(one)
            if self.dice.random() < 0.01:
                forged = one.body.replace(b'"title":"', b'"title":"FORGED ', 1)
                self.again.append(Sent(one.topic, forged, str(uuid4()), is_forged=True))
            if self.dice.random() < 0.1:
                self.counts["late"] += 1
                self.late.append((self.made + self.dice.randint(5, 200), one))
                continue
            return one
        return self.again.popleft() if self.again else None

    def _edit(self) -> Sent:
        products = self.store.products
        chosen = self.dice.random()
        if chosen < 0.01:
            made = self.store.add_product(
                title=f"Made in the storm {self.made}",
                handle=f"storm-{self.made}",
                variants=[NewVariant(["Default Title"], "9.00", f"STORM-{self.made}")],
            )
            self._stock(made)
            return self._sent("products/create", payloads.product(self.store, made))
        product = products[self._any()]
        if chosen < 0.02 and len(products) > 10:
            number = product.id
            self.store.delete_product(product)
            return self._sent("products/delete", {"id": number})
        product.title = f"Storm {self.made}"
        product.tags = sorted({"storm", f"t{self.made % 7}"})
        self.store.update_product(product)
        return self._sent("products/update", payloads.product(self.store, product))

    def _stock(self, made: Product) -> None:
        """What else a new product sets off: each variant has an item, and the item its places."""
        for number in made.variant_ids:
            item = self.store.items[self.store.variants[number].item_id]
            told = [self._sent("inventory_items/create", payloads.inventory_item(self.store, item))]
            told += [
                self._sent("inventory_levels/connect", payloads.inventory_level(self.store, level))
                for level in self.store.levels_of(item.id)
            ]
            self.again.extend(told)
            self.counts["stock"] += len(told)

    def _any(self) -> int:
        """A product that there is; the list of them is made anew when it points at one that is gone."""
        if not self.numbers or (number := self.dice.choice(self.numbers)) not in self.store.products:
            self.numbers = list(self.store.products)
            number = self.dice.choice(self.numbers)
        return number

    def _sent(self, topic: str, payload: dict[str, Any]) -> Sent:
        return Sent(topic, msgspec.json.encode(payload), str(uuid4()))


class Line:
    """One connection to the server; opened again when it breaks."""

    def __init__(self, port: int, domain: str) -> None:
        self._port, self._domain = port, domain
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, one: Sent) -> int:
        """The status; 0 when there was none."""
        try:
            async with asyncio.timeout(5):
                return await self._post(one)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self._streams = None
            return 0

    async def _post(self, one: Sent) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        signature = sign(one.body, "nobody's" if one.is_forged else SECRET).decode()
        writer.write(
            f"POST /api/webhooks/shopify/products HTTP/1.1\r\nHost: storm\r\nX-Shopify-Topic: {one.topic}\r\n"
            f"X-Shopify-Shop-Domain: {self._domain}\r\nX-Shopify-Hmac-Sha256: {signature}\r\n"
            f"X-Shopify-API-Version: 2026-10\r\nX-Shopify-Webhook-Id: {one.delivery_id}\r\n"
            f"X-Shopify-Triggered-At: {clock.iso(clock.now())}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(one.body)}\r\n\r\n".encode()
            + one.body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


async def send_all(storm: Storm, line: Line) -> None:
    while (one := storm.next()) is not None:
        while True:
            status = await line.post(one)
            storm.counts[f"answered {status}"] += 1
            if status == 200 or (one.is_forged and status == 401):
                break
            await asyncio.sleep(0.1)
        if status == 200:
            storm.answered.add(one.delivery_id)


@dataclass
class Processes:
    """The server and the worker, each in a process of its own on one data folder."""

    folder: Path
    port: int
    worker: asyncio.subprocess.Process | None = None

    async def start(self, roles: str, port: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "syncline.main", "serve", "--roles", roles, "--port", str(port)),
            *("--data-dir", str(self.folder)),
            env={**os.environ, "SYNCLINE_LOG_LEVEL": "ERROR"},
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def kill_worker(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            await self.worker.wait()
        self.worker = await self.start("worker", 0)

    def restart_database(self) -> None:
        """Its main process is told to drop everything at once; whoever needs it starts it again."""
        for found in self.folder.rglob("postmaster.pid"):
            os.kill(int(found.read_text().splitlines()[0]), signal.SIGQUIT)


@dataclass(frozen=True)
class Calm:
    """What the storm left. `sent` and `settled` are seconds since it began."""

    storm: Storm
    states: Counter[str]
    sent_back: int
    sent: float
    settled: float
    outcome: Reconciliation

    @property
    def stored(self) -> int:
        return sum(self.states.values())

    def rows(self) -> list[tuple[object, ...]]:
        counts = self.storm.counts
        return [
            ("edits of products in the store", self.storm.made),
            ("webhooks about stock", counts["stock"]),
            ("delivered twice", counts["twice"]),
            ("delivered late", counts["late"]),
            ("forged, refused with 401", counts["answered 401"]),
            ("sent again after no answer or an error", _unanswered(self.storm)),
            ("deliveries answered with 200", len(self.storm.answered)),
            ("deliveries stored", self.stored),
            ("settled as applied", self.states["applied"]),
            ("settled as older, repeated or gone", self.states["ignored"]),
            ("dead letters", self.states["dead"]),
            ("isolated because a worker was killed, sent back", self.sent_back),
            ("workers killed", counts["kill"]),
            ("database restarts", counts["restart"]),
            ("seconds until all was sent", self.sent),
            ("seconds until all was settled", self.settled),
            ("store and mirror agree", "yes" if self.outcome.agreed else "no"),
        ]

    def wrong(self) -> list[str]:
        is_whole = self.stored == len(self.storm.answered) == self.storm.made + self.storm.counts["stock"]
        found = {
            "lost or doubled deliveries": not is_whole,
            "dead letters": bool(self.states["dead"]),
            "a mirror that differs from the store": not self.outcome.agreed,
        }
        return [what for what, is_so in found.items() if is_so]


def _is_made(storm: Storm, count: int) -> bool:
    return storm.made >= count


async def disturb(storm: Storm, processes: Processes, *, events: int, kills: int, restarts: int) -> None:
    moments = [(events * (n + 1) // (kills + 1), "kill") for n in range(kills)]
    moments += [(events * (n + 1) // (restarts + 1), "restart") for n in range(restarts)]
    for at, what in sorted(moments):
        await eventually(partial(_is_made, storm, at), _LONG)
        storm.counts[what] += 1
        if what == "kill":
            await processes.kill_worker()
        else:
            processes.restart_database()


async def settle(bench: Bench, store_id: Any, *, seconds: float) -> tuple[Counter[str], int]:
    """Waits until all is settled; what a killed worker left under suspicion is sent back. States and how many were."""
    sent_back, deadline = 0, time.monotonic() + seconds
    while True:
        states: Counter[str] = Counter()
        waiting = 1
        with suppress(DatabaseUnavailable):
            async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
                killed = (await session.scalars(_KILLED, {"store": store_id, "reason": claims.KILLED})).all()
                if killed:
                    sent_back += len(await repository.send_back(session, killed, clock.now()))
                    await enqueue_apply(session, bench.runtime.queue, bench.actor.tenant_id, store_id)
                states = Counter({row.state: row.rows for row in await session.execute(_STATES, {"store": store_id})})
                waiting = int(await session.scalar(_READINGS, {"store": store_id}) or 0)
        if states and not waiting and not states["waiting"] and not states["failed"]:
            return states, sent_back
        if time.monotonic() > deadline:
            raise SystemExit(f"not settled in {seconds:g} s: {dict(states)}, {waiting} to be read")
        await asyncio.sleep(0.5)


async def connect(bench: Bench, store: Store, url: str) -> Any:
    made = await bench.commerce.add_store(
        actor=bench.actor, name=STORE, shop_domain=store.shop.domain, token=SandboxOptions().token, base_url=url
    )
    now = clock.now()
    sealed = {"secret_sealed": bench.runtime.secrets.seal(SECRET), "other_secret_sealed": None}
    async with bench.runtime.database.writing(bench.actor.tenant_id) as session:
        values = {"kind": grants.GrantKind.CUSTOM, "granted_at": now, "issued_at": now, **sealed}
        await grants.put(session, made.id, values)
    return made.id


async def pull(bench: Bench) -> None:
    run = await bench.commerce.start_pull(actor=bench.actor, store=STORE, mode=PullMode.FULL)

    async def is_over() -> bool:
        return (await bench.commerce.get_pull(actor=bench.actor, run_id=run.id)).status.is_final

    await eventually(is_over, _LONG)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def answers(port: int) -> None:
    for _ in range(600):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the server does not answer")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="syncline-storm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database server runs as somebody else when root runs this
        (folder / "shop").mkdir()
        (folder / "data").mkdir(mode=0o755)
        yield folder


async def main(events: int, products: int, *, kills: int, restarts: int, seed: int, write_docs: bool) -> None:
    store = Store(Shop(domain="storm.myshopify.com"))
    generate(store, products, seed=seed)
    with _folder() as folder:
        web = create_app(store, SandboxOptions(limits=False), folder / "shop")
        async with running(web) as url, opened(folder / "data") as bench:
            processes = Processes(folder / "data", free_port())
            server = await processes.start("api", processes.port)
            try:
                calm = await blow(
                    bench, processes, store, url, events=events, kills=kills, restarts=restarts, seed=seed
                )
            finally:
                for one in (server, processes.worker):
                    if one is not None and one.returncode is None:
                        one.terminate()
                        await one.wait()
    title = f"{events:,} edits of a store of {products:,} products, seed {seed}; {machine()}"
    report(calm, title, write_docs=write_docs)


async def blow(
    bench: Bench, processes: Processes, store: Store, url: str, *, events: int, kills: int, restarts: int, seed: int
) -> Calm:
    store_id = await connect(bench, store, url)
    await processes.kill_worker()
    await pull(bench)
    await answers(processes.port)
    storm = Storm(store, events, random.Random(seed))
    began = time.monotonic()
    disturbance = asyncio.create_task(disturb(storm, processes, events=events, kills=kills, restarts=restarts))
    lines = [Line(processes.port, store.shop.domain) for _ in range(SENDERS)]
    await asyncio.gather(*(send_all(storm, line) for line in lines), disturbance)
    sent = time.monotonic() - began
    states, sent_back = await settle(bench, store_id, seconds=max(120.0, events / 100))
    settled = time.monotonic() - began
    outcome = await bench.commerce.reconcile(actor=bench.actor, store=STORE, depth="content", repair=False)
    return Calm(storm, states, sent_back, sent, settled, outcome)


def report(calm: Calm, title: str, *, write_docs: bool) -> None:
    """Raises `SystemExit` when anything was lost, done twice, given up, or differs."""
    text = print_table(title, ["what", "how many"], calm.rows())
    for kind in calm.outcome.kinds:
        if not kind.agrees:
            print(f"differs: {kind}")
    if wrong := calm.wrong():
        raise SystemExit(f"The storm left {' and '.join(wrong)}.")
    if write_docs:
        write_between(PAGE, "webhook-storm", f"{title}\n\n{text}")


def _unanswered(storm: Storm) -> int:
    return sum(
        count
        for what, count in storm.counts.items()
        if what.startswith("answered ") and what not in {"answered 200", "answered 401"}
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write-docs", action="store_true")
    told = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(**vars(told)))
