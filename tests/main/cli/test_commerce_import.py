from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
HEAD = "Handle,Option1 Value,Variant Price\n"


def flat(text: str) -> str:
    """Without the frame and the line breaks of a usage error."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., str]:
    def write(content: str, *, encoding: str = "utf-8") -> str:
        path = tmp_path / "prices.csv"
        path.write_text(content, encoding=encoding)
        return str(path)

    return write


def test_what_differs_is_staged(pulled: Run, sheet: Callable[..., str]) -> None:
    done = pulled("import", "demo", sheet(HEAD + "linen-shirt,S,25\nlinen-shirt,M,22\n"))
    assert done.exit_code == 0
    assert "2 rows, 1 products: 1 changes staged, 1 records already as the sheet says, 0 errors, 0 notes" in done.stdout
    assert "Import of prices.csv" in done.stdout
    assert "syncline review list --batch " in done.stdout
    assert done.stderr.startswith("reading prices.csv: ")
    assert "100 %" in done.stderr


def test_json_is_the_result(pulled: Run, sheet: Callable[..., str], said: Said) -> None:
    result = said(pulled("import", "demo", sheet(HEAD + "mug-1,,9\n"), "--json"))
    assert (result["rows"], result["staged"], result["batch"]["counts"]) == (1, 1, {"pending": 1})


def test_a_sheet_that_changes_nothing_is_no_error(pulled: Run, sheet: Callable[..., str], said: Said) -> None:
    path = sheet(HEAD + "mug-1,,1.50\nmug-2,,\n")
    done = pulled("import", "demo", path)
    assert (done.exit_code, "0 changes staged" in done.stdout, "review list" in done.stdout) == (0, True, False)
    assert said(pulled("import", "demo", path, "--json"))["batch"] is None


def test_errors_are_a_table_and_exit_2(pulled: Run, sheet: Callable[..., str], said: Said) -> None:
    path = sheet(HEAD + 'mug-1,,"12,5o"\nmug-x,,9\nmug-2,,9\n')
    done = pulled("import", "demo", path)
    assert done.exit_code == 2
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith(("2 ", "3 "))]
    assert [(row[0], row[-1]) for row in rows] == [("2", "error"), ("3", "error")]
    for part in ("Variant Price", "12,5o", "write 12.50", "Handle", "mug-x", "Did you mean"):
        assert part in done.stdout
    assert "2 errors in 3 rows; nothing was staged" in done.stderr
    as_json = pulled("import", "demo", path, "--json")
    body = said(as_json)
    assert (as_json.exit_code, body["code"], body["result"]["errors"]) == (2, "IMPORT_001", 2)
    assert [(one["row"], one["column"]) for one in body["result"]["problems"]] == [(2, "Variant Price"), (3, "Handle")]
    assert pulled("review", "list", "--batches").stdout == "Nothing was staged yet.\n"


def test_keep_good_stages_the_rest_and_is_exit_4(pulled: Run, sheet: Callable[..., str], said: Said) -> None:
    path = sheet(HEAD + 'mug-1,,"12,5o"\nmug-2,,9\n')
    done = pulled("import", "demo", path, "--keep-good")
    assert done.exit_code == 4
    assert "1 changes staged" in done.stdout
    assert "write 12.50" in done.stdout
    as_json = pulled("import", "demo", path, "--keep-good", "--json")
    assert (as_json.exit_code, said(as_json)["errors"]) == (4, 1)


def test_many_errors_are_cut_on_the_terminal_and_whole_in_json(
    pulled: Run, sheet: Callable[..., str], said: Said
) -> None:
    path = sheet(HEAD + "".join(f"gone-{number},,1\n" for number in range(45)))
    done = pulled("import", "demo", path)
    assert done.stdout.count("gone-") == 40
    assert "and 5 more; --json lists them" in done.stdout
    assert len(said(pulled("import", "demo", path, "--json"))["result"]["problems"]) == 45


def test_the_options_say_how_to_read_it(pulled: Run, sheet: Callable[..., str], said: Said) -> None:
    content = "Handle;Title;Colour;Variant Inventory Qty\nmug-1;Été;red;7\n"
    path = sheet(content, encoding="cp1252")
    for arguments, part in (
        ((), "is not UTF-8 text"),
        (("--encoding", "klingon"), "There is no encoding"),
        (("--encoding", "cp1252"), "Colour"),
        (("--encoding", "cp1252", "--ignore-unknown", "--location", "Mane"), "It has Main warehouse"),
    ):
        done = pulled("import", "demo", path, *arguments)
        assert done.exit_code == 2
        assert part in done.stdout + done.stderr
    options = ("--encoding", "cp1252", "--ignore-unknown", "--location", "main warehouse", "--json")
    assert said(pulled("import", "demo", path, *options))["staged"] == 2


def test_a_file_that_cannot_be_read_is_exit_2(pulled: Run, tmp_path: Path, sheet: Callable[..., str]) -> None:
    for path, part in ((tmp_path / "none.csv", "does not exist"), (tmp_path, "is a directory")):
        done = pulled("import", "demo", str(path))
        assert done.exit_code == 2
        assert part in flat(done.stderr)
    empty = pulled("import", "demo", sheet(""))
    assert (empty.exit_code, "The file is empty" in empty.stdout) == (2, True)


def test_a_store_that_is_not_there_is_exit_1(on_database: Run, sheet: Callable[..., str]) -> None:
    done = on_database("import", "nope", sheet(HEAD))
    assert done.exit_code == 1
    assert "syncline stores list" in done.stderr
