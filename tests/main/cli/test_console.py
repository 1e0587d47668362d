from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from syncline.kernel.errors import (
    Conflict,
    DomainError,
    Fatal,
    FieldError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Retriable,
    SynclineError,
    Unavailable,
)
from syncline.main.cli.console import ExitCode, command, console, emit, exit_code_of, table


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x"), ExitCode.NOT_UNDERSTOOD),
        (Conflict("x"), ExitCode.REFUSED),
        (NotAllowed("x"), ExitCode.REFUSED),
        (NotFound("x"), ExitCode.FAILED),
        (Unavailable("x"), ExitCode.FAILED),
        (Fatal("x"), ExitCode.FAILED),
        (Retriable("x"), ExitCode.FAILED),
    ],
)
def test_a_script_can_tell_apart_what_went_wrong(error: SynclineError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def failing(error: Exception, *, as_json: bool) -> int:
    @command
    async def work(*, as_json: bool) -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        work(as_json=as_json)
    return caught.value.exit_code


def test_an_error_is_one_sentence_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    code = failing(Conflict("A pull is running. Wait for it with --wait."), as_json=False)
    shown = capsys.readouterr()
    assert code == 3
    assert shown.out == ""
    assert shown.err == "A pull is running. Wait for it with --wait. REQ_009\n"


def test_with_json_an_error_is_an_object_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    error = DomainError("Two cells are wrong.", fields=[FieldError("row 7, Variant Price", "12,5o")], extra={"good": 3})
    failing(error, as_json=True)
    shown = capsys.readouterr()
    assert shown.err == ""
    assert json.loads(shown.out) == {
        "success": False,
        "code": "REQ_000",
        "error": "Two cells are wrong.",
        "fields": [{"field": "row 7, Variant Price", "message": "12,5o"}],
        "good": 3,
    }


def test_a_vendors_refusal_keeps_the_vendors_word(capsys: pytest.CaptureFixture[str]) -> None:
    failing(Fatal("The token was revoked.", detail="internal", vendor_code="ACCESS_DENIED"), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["error"], said["vendor_code"]) == ("The token was revoked.", "ACCESS_DENIED")
    assert "internal" not in str(said)


def test_of_many_wrong_cells_the_first_twenty_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    failing(InvalidInput("Bad sheet.", fields=[FieldError(f"row {n}", "bad") for n in range(1, 51)]), as_json=False)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 30 more; --json lists them all"


def test_a_missing_file_is_a_sentence_and_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match=r"nothing\.csv") as caught:
        (tmp_path / "nothing.csv").read_text()
    assert failing(caught.value, as_json=False) == 2
    assert "nothing.csv: No such file or directory." in capsys.readouterr().err


def test_a_defect_is_not_dressed_up_as_an_error() -> None:
    @command
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()


def test_a_result_is_json_for_programs_with_moments_as_iso(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 22, 12, 0, 1, 500_000, tzinfo=UTC)
    emit({"at": moment, "name": "Größe"}, as_json=True, show=lambda: "never")
    assert capsys.readouterr().out == '{"at": "2026-11-22T12:00:01.500000Z", "name": "Größe"}\n'


def test_cells_are_text_and_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("[red]Shirt[/red]", 12_345, None, True), ("[/]", 1, "x", False)]
    console().print(table(("title", ">stock", "sku", "active"), rows))
    shown = capsys.readouterr().out
    assert "[red]Shirt[/red]" in shown
    assert "[/]" in shown
    assert "12,345" in shown
    assert "–" in shown


def test_in_a_pipe_no_cell_is_cut_or_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 150
    console().print(table(("title", "sku"), [(long, "A-1")]))
    assert any(long in line and "A-1" in line for line in capsys.readouterr().out.splitlines())
