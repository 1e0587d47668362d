"""Shopify's own library for Node, asked line by line. `make judges` fetches it, for tests reach for no network."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parent / "shopify-api"
Judge = Callable[..., Any]


@pytest.fixture(scope="session")
def asked_library() -> Iterator[subprocess.Popen[str]]:
    node = shutil.which("node")
    if node is None or not (HOME / "node_modules" / "@shopify").is_dir():
        pytest.fail("Shopify's library for Node is not here: run `make judges`")
    with subprocess.Popen(
        [node, "judge.mjs"], cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as library:
        yield library
        assert library.stdin is not None
        library.stdin.close()


@pytest.fixture
def judge(asked_library: subprocess.Popen[str]) -> Judge:
    """`judge("callback", clientId=..., secret=..., query={...})`: what the library answers, or its error's name."""

    def ask(question: str, **asked: Any) -> Any:
        assert asked_library.stdin is not None
        assert asked_library.stdout is not None
        asked_library.stdin.write(json.dumps({"question": question, **asked}) + "\n")
        asked_library.stdin.flush()
        told = json.loads(asked_library.stdout.readline())
        return told.get("error") or told["answer"]

    return ask
