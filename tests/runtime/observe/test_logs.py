from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from syncline.runtime.observe import logs
from syncline.runtime.observe.correlation import accept, correlated, correlation_id


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    target = io.StringIO()
    logs.configure(level="INFO", pretty=False, stream=target)
    yield target
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_logger_and_correlation_id(stream: io.StringIO) -> None:
    with correlated("abc-1"):
        logs.get_logger("syncline.test").info("pull finished", rows=2_000)
    (line,) = lines(stream)
    assert line["event"] == "pull finished"
    assert line["rows"] == 2_000
    assert line["level"] == "info"
    assert line["logger"] == "syncline.test"
    assert line["correlation_id"] == "abc-1"
    assert line["timestamp"].endswith("Z")


def test_the_standard_librarys_lines_take_the_same_form(stream: io.StringIO) -> None:
    with correlated("abc-2"):
        logging.getLogger("some.library").warning("slow answer: %d ms", 900)
    (line,) = lines(stream)
    assert (line["event"], line["correlation_id"]) == ("slow answer: 900 ms", "abc-2")


def test_secrets_are_hidden_in_messages_fields_and_tracebacks(stream: io.StringIO) -> None:
    log = logs.get_logger("syncline.test")
    try:
        int("refused shpat_0123456789")
    except ValueError:
        log.exception("call failed", access_token="plain")
    text = stream.getvalue()
    assert "0123456789" not in text
    assert "plain" not in text
    assert "ValueError" in text


def test_chatty_libraries_are_heard_only_when_they_warn(stream: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET https://example.test")
    logging.getLogger("httpx").warning("odd")
    assert [line["event"] for line in lines(stream)] == ["odd"]


def test_text_for_people_is_not_json(stream: io.StringIO) -> None:
    target = io.StringIO()
    logs.configure(pretty=True, stream=target)
    logs.get_logger("syncline.test").info("hello", token="t0p")
    assert "hello" in target.getvalue()
    assert "t0p" not in target.getvalue()
    assert not target.getvalue().startswith("{")


@pytest.mark.parametrize("bad", [None, "", "a b", "a\nb", "x" * 129, "é", '"'])
def test_a_correlation_id_that_could_break_a_line_is_replaced(bad: str | None) -> None:
    made = accept(bad)
    assert made != bad
    assert len(made) == 32


def test_a_callers_own_correlation_id_is_kept() -> None:
    assert accept("order-42:retry.1") == "order-42:retry.1"


def test_the_correlation_id_ends_with_its_block() -> None:
    with correlated("outer"):
        with correlated("inner"):
            assert correlation_id() == "inner"
        assert correlation_id() == "outer"
    assert correlation_id() is None
