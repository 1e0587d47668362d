from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console
from rich.progress import Progress as RichProgress

from syncline.main.cli.progress import RichBars, columns, count_text, duration_text, progress, rate_text


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


def test_an_estimate_that_changes_at_every_look_still_has_a_speed() -> None:
    seconds = iter(range(1_000))
    with RichProgress(
        *columns(110), console=Console(file=io.StringIO()), get_time=lambda: float(next(seconds))
    ) as bars:
        bar = RichBars(bars).bar("lemlist")
        for number in range(1, 6):
            bar.update(100 * number, 1_000 + number)
        (task,) = bars.tasks
        assert task.total == 1_005
        assert task.speed is not None
        assert task.time_remaining is not None


def test_what_was_done_before_somebody_looked_is_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with progress(stream=stream) as show:
        show.bar("all there").finish(done=8_912)
        bar = show.bar("resumed")
        bar.update(9_000, 10_000)
        now[0] += 10
        bar.update(9_500, 10_000)
    assert stream.getvalue().splitlines() == [
        "all there: 8,912/8,912, 100 %, done in 0:00",
        "resumed: 9,500/10,000, 95 %, 50/s, 0:10 left",
    ]
