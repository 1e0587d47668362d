from __future__ import annotations

import io
import re
import time

import pytest

from syncline.main.cli.progress import count_text, duration_text, progress, rate_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_pipe_a_line_comes_every_few_seconds_and_one_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    with progress(stream=stream) as show:
        bar = show.bar("products", 2_000)
        for done in range(0, 2_001, 100):
            bar.update(done)
        bar.finish(note="all there")
    lines = stream.getvalue().splitlines()
    assert 3 <= len(lines) <= 12
    assert re.fullmatch(r"products: [\d,]+/2,000, \d+ %, [\d.,]+/s, \d+:\d\d left", lines[0])
    assert lines[-1].startswith("products: 2,000/2,000, 100 %, ")
    assert lines[-1].endswith("all there")


def test_work_without_a_known_end_counts_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    with progress(stream=stream) as show:
        bar = show.bar("events")
        bar.update(1_234)
        bar.finish()
        bar.finish()
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().startswith("events: 1,234/1,234, 100 %")


def test_on_a_terminal_there_is_a_bar_with_count_rate_and_time_left() -> None:
    stream = Terminal()
    with progress(stream=stream) as show:
        bar = show.bar("[products]", 10)
        bar.update(5, note="chunk 2")
        bar.update(7, 20)
        bar.finish()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "[products]" in text
    assert "20/20" in text
    assert "/s" in text
    assert "chunk 2" in text


def test_quiet_means_nothing_at_all() -> None:
    stream = Terminal()
    with progress(quiet=True, stream=stream) as show:
        bar = show.bar("products", 10)
        bar.update(5)
        bar.finish()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (count_text(1_200, 2_000), "1,200/2,000"),
        (count_text(1_200, None), "1,200"),
        (rate_text(None), "–/s"),
        (rate_text(3.14159), "3.1/s"),
        (rate_text(15_432.1), "15,432/s"),
        (rate_text(2_851_900), "2,852k/s"),
        (duration_text(None), "–:––"),
        (duration_text(62.4), "1:02"),
        (duration_text(3_600), "1:00:00"),
    ],
)
def test_numbers_read_well(made: str, text: str) -> None:
    assert made == text
