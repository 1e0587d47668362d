"""The command as a process: it says where it listens, takes a message, shows it, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest
from tests.main.cli.conftest import Run

COMMAND = (sys.executable, "-m", "syncline.main", "sandbox", "slack", "--json", "--port", "0")


@pytest.mark.process
def test_it_takes_messages_shows_them_and_stops() -> None:
    with subprocess.Popen([*COMMAND, "--faults", "rollup_error"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        answers = [httpx.post(facts["webhook"], json={"text": "Hello."}).status_code for _ in range(2)]
        shown = httpx.get(facts["messages"]).json()
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)
    assert answers == [500, 200]
    assert shown == {"messages": [{"text": "Hello."}]}
    assert ended == 0


def test_a_word_that_slack_does_not_say_is_refused_with_those_it_says(run: Run) -> None:
    done = run("sandbox", "slack", "--port", "0", "--faults", "on_fire")
    assert done.exit_code != 0
    assert "on_fire" in done.output
    assert "channel_is_archived" in done.output
