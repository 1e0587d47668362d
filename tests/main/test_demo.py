"""The demo as somebody runs it: to its end, a second time, stopped, killed."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from syncline.runtime.db.cluster import wait_until
from syncline.runtime.db.layout import open_home
from syncline.runtime.db.locks import is_locked

Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not under pytest's own folder: that is closed to the server's account when root runs the tests.
    made = Path(tempfile.mkdtemp(prefix="syncline-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def begin(folder: Path) -> Iterator[Begin]:
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        size = ("--products", "200", "--orders", "300", "--customers", "150")
        place = (*size, "--port", "0", "--data-dir", str(folder))
        process = subprocess.Popen(
            [sys.executable, "-m", "syncline.main", "demo", *place, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
    assert wait_until(lambda: not is_locked(open_home(folder).supervisor_lock), 60)


def family(process: subprocess.Popen[str], folder: Path) -> list[psutil.Process]:
    """The sandbox, the database's supervisor and the database."""
    told = json.loads(open_home(folder).state.read_text())
    found = psutil.Process(process.pid).children(recursive=True)
    found += [psutil.Process(told["supervisor"]), psutil.Process(told["postmaster"])]
    assert len({one.pid for one in found}) == 3
    return found


def still_alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=60)[1]


@pytest.mark.process
def test_every_count_agrees_also_the_second_time(begin: Begin, folder: Path) -> None:
    process = begin("--once", "--json")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["agreed"]
    counts = {check["what"]: check["found"] for check in said["checks"]}
    assert [counts[f"{what} mirrored"] for what in ("products", "orders", "customers")] == [200, 300, 150]
    assert (counts["weekly pulls on Sunday"], counts["checks that failed"]) == (1, 0)
    assert [check for check in said["checks"] if check["expected"] != check["found"]] == []
    assert said["traffic"]["throttled"] == 0

    picture = folder / "picture.svg"
    process = begin("--once", "--picture", str(picture))
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "All 31 counts agree." in out
    assert "All&#160;31&#160;counts&#160;agree." in picture.read_text()
    # The namespace is a name; any other address would be fetched by whoever looks at the picture.
    addresses = set(re.findall(r"https?://[^\s\"'<&,]+", picture.read_text()))
    elsewhere = {one for one in addresses if not one.startswith("http://127.0.0.1:")}
    assert elsewhere == {"http://www.w3.org/2000/svg"}


@pytest.mark.process
def test_what_does_not_agree_is_named_and_fails(begin: Begin) -> None:
    process = begin("--once")
    url = read_until(process, r"customers at (http://\S+),")
    read_until(process, r"(Stage a price change)")
    last = json.loads(httpx.get(f"{url}/sandbox/state/products", timeout=60).content.splitlines()[-1])
    httpx.post(f"{url}/sandbox/edit", json={"kind": "product", "id": last["id"], "set": {"title": "moved"}}, timeout=60)
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 1
    said = " ".join(out.replace("│", " ").split())
    assert "1 of 31 counts do not agree: records as they should be:" in said


@pytest.mark.process
def test_it_stays_up_until_ctrl_c_and_leaves_nothing(begin: Begin, folder: Path) -> None:
    process = begin()
    docs = read_until(process, r"API page: (\S+)")
    key = read_until(process, r"export KEY=(\S+)")
    assert httpx.get(docs.replace("/docs", "/ready"), timeout=60).status_code == 200
    status = docs.replace("/docs", "/api/enhanced-sync/status")
    assert httpx.get(status, headers={"Authorization": f"Bearer {key}"}, timeout=60).status_code == 200
    everything = family(process, folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert still_alive(everything) == []


@pytest.mark.process
@pytest.mark.parametrize(("wish", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_stopped_in_the_middle_of_a_push_it_leaves_nothing(begin: Begin, folder: Path, wish: int, code: int) -> None:
    process = begin("--once")
    read_until(process, r"(syncline push demo)")
    everything = family(process, folder)
    process.send_signal(wish)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in out + err
    assert still_alive(everything) == []


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """What the group of `pattern` is in the first line that has it."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(pattern, line)
        if found is not None:
            return found[1]
    raise AssertionError(f"it ended without {pattern}: {process.stderr.read() if process.stderr else ''}")
