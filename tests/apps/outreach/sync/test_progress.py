"""How far a run is, and how long it will take."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncline.apps.outreach.sync.progress import duration_sentence, estimated, progress_of, share_of
from syncline.apps.outreach.sync.repository import Counts, total
from syncline.apps.outreach.sync_contract import Platform, SyncStatus

LEMLIST = Counts(chunks=10, done=2, read=200, expected=200, known=2)
SMARTLEAD = Counts(chunks=2, done=0, read=500, expected=3_000, known=2)


def test_each_tool_is_estimated_by_its_own_chunks() -> None:
    assert (estimated(LEMLIST), estimated(SMARTLEAD)) == (1_000, 3_000)


def test_chunks_in_which_nothing_happened_say_nothing_of_the_others() -> None:
    assert estimated(Counts(chunks=10, done=6, read=200, expected=200, known=6, unmoved=4)) == 600


def test_more_than_was_expected_is_no_more_than_all() -> None:
    assert estimated(Counts(chunks=1, done=0, read=50, expected=40, known=1)) == 50


def test_of_a_run_that_goes_on_less_than_all_is_said() -> None:
    assert share_of({Platform.LEMLIST: Counts(chunks=2, done=2, read=9, expected=9, known=2)}) == 0.99


def test_what_is_left_follows_from_what_was_done() -> None:
    told = progress_of(
        SyncStatus.RUNNING, "reading", {Platform.LEMLIST: LEMLIST}, running=timedelta(minutes=2), before=None
    )
    assert (told.percentage, told.processed_items, told.total_items, told.eta_minutes) == (20.0, 200, 1_000, 8)


@pytest.mark.parametrize(("before", "eta"), [(None, None), (timedelta(minutes=5), 4), (timedelta(seconds=1), 0)])
def test_before_the_first_record_the_last_run_is_all_that_is_known(before: timedelta | None, eta: int | None) -> None:
    fresh = {Platform.LEMLIST: Counts(chunks=3)}
    told = progress_of(SyncStatus.RUNNING, "reading", fresh, running=timedelta(minutes=1), before=before)
    assert (told.percentage, told.eta_minutes) == (0.0, eta)


def test_a_run_that_has_ended_has_nothing_left() -> None:
    ended = {Platform.LEMLIST: LEMLIST}
    done = progress_of(SyncStatus.COMPLETED, "completed", ended, running=timedelta(1))
    failed = progress_of(SyncStatus.FAILED, "failed", ended, running=timedelta(1), before=timedelta(2))
    assert (done.percentage, done.total_items, done.eta_minutes) == (100.0, 200, 0)
    assert (failed.percentage, failed.eta_minutes) == (20.0, None)


def test_counts_of_tools_add_up() -> None:
    assert total([LEMLIST, SMARTLEAD]) == Counts(chunks=12, done=2, read=700, expected=3_200, known=4)
    assert total([]) == Counts()


@pytest.mark.parametrize(
    ("took", "sentence"),
    [
        (timedelta(seconds=2), "about 5 seconds"),
        (timedelta(seconds=41), "about 45 seconds"),
        (timedelta(seconds=58), "about 1 minute"),
        (timedelta(minutes=20), "about 20 minutes"),
        (timedelta(hours=5), "about 5 hours"),
    ],
)
def test_a_duration_in_words(took: timedelta, sentence: str) -> None:
    assert duration_sentence(took) == sentence
