from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncline.apps.accounts.contract import ErasureListBroken
from syncline.apps.accounts.privacy.erasures.replay_list import Remembered, append, read
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId


def remembered() -> Remembered:
    return Remembered(
        id=new_id(),
        tenant_id=TenantId(new_id()),
        at=datetime(2026, 11, 22, tzinfo=UTC),
        reason="asked for",
        keep_out=True,
        digests=[b"\x01\x02"],
        numbers="{}",
    )


def test_what_was_written_is_read_each_once(tmp_path: Path) -> None:
    one, two = remembered(), remembered()
    for each in (one, two, one):
        append(tmp_path / "list", each)
    assert read(tmp_path / "list") == [one, two]


def test_a_line_that_a_crash_cut_short_is_passed_over_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path, one, two = tmp_path / "list", remembered(), remembered()
    append(path, one)
    with path.open("ab") as file:
        file.write(b'{"id": "01a2')
    assert read(path) == [one]
    append(path, two)
    assert read(path) == [one, two]


def test_a_file_that_is_not_there_or_another_is_said(tmp_path: Path) -> None:
    with pytest.raises(ErasureListBroken, match="no list"):
        read(tmp_path / "missing")
    (tmp_path / "other").write_text('{"a": 1}\n{"b": 2}\n')
    with pytest.raises(ErasureListBroken, match="Line 1"):
        read(tmp_path / "other")


def test_others_may_not_read_it(tmp_path: Path) -> None:
    append(tmp_path / "list", remembered())
    assert (tmp_path / "list").stat().st_mode & 0o077 == 0
