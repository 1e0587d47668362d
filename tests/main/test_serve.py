"""The process as its operator sees it: started, asked, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from syncline.kernel.errors import InvalidInput
from syncline.main.listening import BadAddress, listen, local_url
from syncline.main.serve import parse_roles
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import eventually

Start = Callable[..., tuple["subprocess.Popen[str]", dict[str, Any]]]


UPSTREAMS = ("smartlead_api", "lemlist_api", "shopify_api", "mixpanel_api", "attio_api", "slack_api")
OWN = ("migrations", "memory", "cpu", "disk", "circuit_breaker", "dead_letters", "webhooks", "queue")
PARTS = ("database", *UPSTREAMS, *OWN, "worker", "relay")


@pytest.fixture
def start(database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[Start]:
    """Starts `syncline serve` on a free port; gives the process and what it announced."""
    running: list[subprocess.Popen[str]] = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_DATA")}
    environment |= {
        "SYNCLINE_DATABASE_URL": str(database_settings.url),
        "SYNCLINE_DATABASE_ADMIN_URL": str(database_settings.admin_url),
        "SYNCLINE_DATA_DIR": str(tmp_path),
    }

    def call(*arguments: str, **more: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "syncline.main", "serve", "--port", "0", "--json", *arguments],
            env=environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield call
    for process in running:
        process.kill()
        process.communicate()


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=60)


@pytest.mark.process
def test_it_announces_itself_gets_ready_and_stops_when_asked(start: Start) -> None:
    process, said = start()
    assert _get(f"{said['url']}/ready").json() == {"status": "ready"}
    health = _get(f"{said['url']}/health").json()
    assert [name for check in health["checks"] for name in check] == list(PARTS)
    assert health["checks"][:3] == [{name: "healthy"} for name in ("database", "smartlead_api", "lemlist_api")]
    assert _get(said["docs"]).status_code == 200
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == ""
    assert {json.loads(line)["event"] for line in err.splitlines()} >= {"listening", "stopped"}


@pytest.mark.process
def test_a_worker_alone_answers_its_probes_and_nothing_else(start: Start) -> None:
    _, said = start("--roles", "worker")
    assert _get(f"{said['url']}/ready").status_code == 200
    assert _get(f"{said['url']}/api/keys").status_code == 404


@pytest.mark.process
def test_an_api_alone_runs_no_worker(start: Start) -> None:
    _, said = start("--roles", "api")
    checks = _get(f"{said['url']}/health").json()["checks"]
    assert [name for check in checks for name in check] == list(PARTS[:-2])
    assert _get(f"{said['url']}/api/keys").status_code == 401


@pytest.mark.process
def test_requests_under_way_are_finished_before_it_stops(start: Start) -> None:
    process, said = start()
    with httpx.Client(timeout=60) as client:
        answers = []
        for turn in range(20):
            answers.append(client.get(f"{said['url']}/health"))
            if turn == 10:
                process.send_signal(signal.SIGINT)
                break
    assert {answer.status_code for answer in answers} == {200}
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.process
def test_the_sandbox_ends_with_its_parent_even_when_that_is_killed(start: Start) -> None:
    process, said = start("--with-sandbox", "--sandbox-products", "5")
    sandbox = said["sandbox"]
    asked = httpx.post(
        f"{sandbox['url']}/admin/api/2026-10/graphql.json",
        headers={"X-Shopify-Access-Token": sandbox["token"]},
        json={"query": "{productsCount{count}}"},
        timeout=60,
    )
    assert asked.json()["data"] == {"productsCount": {"count": 5}}
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.process
def test_a_taken_port_is_a_sentence_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "syncline.main", "serve", "--port", port, "--data-dir", str(tmp_path / "new")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"Port {port} is in use" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(BadAddress, match=r"203\.0\.113\.1"):
        listen("203.0.113.1", 0)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:8"), ("::1", "http://[::1]:8"), ("db", "http://db:8")]
)
def test_the_announced_address_can_be_opened_here(host: str, url: str) -> None:
    assert local_url(host, 8) == url


def test_roles_are_words_we_know() -> None:
    assert parse_roles("worker, api,worker") == ("worker", "api")
    for text in ("", "api,web", ","):
        with pytest.raises(InvalidInput, match="api and worker"):
            parse_roles(text)


async def test_an_answer_is_not_held_back_until_the_client_has_acknowledged_its_head() -> None:
    accepted: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Accepting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.set_result(transport)

    with listen("127.0.0.1", 0) as listener:
        server = await asyncio.get_running_loop().create_server(Accepting, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname())
        transport = await accepted
        held_back_off = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        transport.close()
        server.close()
    assert held_back_off == 1


@pytest.mark.process
async def test_a_session_ended_in_one_process_is_over_in_another_as_soon_as_what_it_kept_is_too_old(
    start: Start,
) -> None:
    (_, one), (_, two) = start("--roles", "api"), start("--roles", "api")
    person = {"name": "Ada", "email": "ada@example.com", "password": "four words in a row", "shopDomain": "ada.example"}
    async with httpx.AsyncClient(timeout=60) as http:
        signed = (await http.post(f"{one['url']}/api/auth/register", json=person)).raise_for_status().json()
        headers = {"Authorization": f"Bearer {signed['access_token']}"}

        async def is_known(to: dict[str, Any]) -> bool:
            return (await http.get(f"{to['url']}/api/auth/me", headers=headers)).is_success

        async def is_unknown_to_both() -> bool:
            return not (await is_known(one) or await is_known(two))

        assert await is_known(one)
        assert await is_known(two)
        session = f"{one['url']}/api/auth/sessions/{signed['session_id']}"
        (await http.delete(session, headers=headers)).raise_for_status()
        assert not await is_known(one)
        await eventually(is_unknown_to_both)
