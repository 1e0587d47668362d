"""The command as a process: it says where it listens, breaks and behaves as told, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import httpx
import pytest
from tests.main.cli.conftest import Run

COMMAND = (sys.executable, "-m", "syncline.main", "sandbox", "outreach", "--json", "--port", "0")
SMALL = ("--events", "100", "--campaigns", "2", "--until", "2026-11-01")


@pytest.mark.process
def test_it_listens_answers_and_stops(tmp_path: Path) -> None:
    told = ("--faults", "lemlist:http_503=1@/api/activities", "--set", "smartlead:errors=envelope", "--folder")
    environment = {**os.environ, "SYNCLINE_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, *SMALL, *told, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        lemlist = f"{facts['lemlist']['url']}/activities"
        answers = [
            httpx.get(lemlist, params={"version": "v2"}, auth=("", facts["lemlist"]["key"])).status_code
            for _ in range(2)
        ]
        refused = httpx.get(f"{facts['smartlead']['url']}/campaigns/").json()
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)
    assert facts["events"] == {"lemlist": 50, "smartlead": 50}
    assert answers == [503, 200]
    assert refused["error"]["code"] == "UNAUTHORIZED"
    assert ended == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--faults", "hubspot:throttle=1"), "There is no double"),
        (("--set", "lemlist:colour=red"), "There is no switch"),
    ],
)
def test_a_wrong_option_is_refused_with_a_sentence(run: Run, wrong: tuple[str, str], sentence: str) -> None:
    done = run("sandbox", "outreach", "--port", "0", *SMALL, *wrong)
    assert done.exit_code != 0
    assert sentence in done.output


@pytest.mark.process
def test_the_commands_it_shows_connect_all_its_tools(on_database: Run, tmp_path: Path) -> None:
    command = [one for one in COMMAND if one != "--json"]
    environment = {**os.environ, "SYNCLINE_DATA_DIR": str(tmp_path), "COLUMNS": "200"}
    with subprocess.Popen([*command, *SMALL], stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        shown = list(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        connecting = [line.split()[1:] for line in shown if line.startswith("  syncline outreach connect")]
        answers = [on_database(*words).exit_code for words in connecting]
        process.send_signal(signal.SIGTERM)
    assert [words[2] for words in connecting] == ["lemlist", "smartlead", "mixpanel", "attio"]
    assert answers == [0, 0, 0, 0]
