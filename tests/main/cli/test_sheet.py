"""`syncline sheet`, and sheets that come back with their errors marked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[[str], str]:
    def write(content: str) -> str:
        path = tmp_path / "supplier.csv"
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def test_a_mapping_is_guessed_kept_listed_used_and_removed(
    pulled: Run, said: Said, sheet: Callable[[str], str]
) -> None:
    path = sheet("Slug,Preis,Bemerkung\nmug-1,12,x\n")
    assert "Keep it: syncline sheet map NAME" in pulled("sheet", "columns", path).stdout
    kept = said(pulled("sheet", "map", "Acme", "Slug=handle", "Preis=price", "Bemerkung=-", "--json"))
    assert (kept["name"], kept["columns"]["Slug"], kept["columns"]["Preis"]) == ("Acme", "handle", "price")
    assert "Preis=price" in pulled("sheet", "mappings").stdout
    shown = said(pulled("sheet", "columns", path, "--mapping", "Acme", "--json"))["columns"]
    assert [(one["title"], one["field"]) for one in shown][:2] == [("Slug", "handle"), ("Preis", "price")]
    assert said(pulled("import", "demo", path, "--mapping", "Acme", "--json"))["staged"] == 1
    assert said(pulled("sheet", "unmap", "Acme", "--json")) == {"removed": "Acme"}
    assert "No mapping is kept yet." in pulled("sheet", "mappings").stdout


@pytest.mark.parametrize("kind", ["products", "prices", "stock", "delete"])
def test_a_template_is_a_sheet_that_an_import_reads(pulled: Run, said: Said, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.csv"
    made = said(pulled("sheet", "template", str(path), "--kind", kind, "--json"))
    with path.open(encoding="utf-8", newline="") as lines:
        titles = next(csv.reader(lines))
    assert made["columns"] == titles
    known = said(pulled("sheet", "columns", str(path), "--json"))["columns"]
    assert {one["how"] for one in known} <= {"known", "ignored"}


def test_errors_are_written_beside_their_rows(pulled: Run, sheet: Callable[[str], str], tmp_path: Path) -> None:
    path, marked = sheet("Handle,Variant Price\nmug-1,12o\nmug-2,9\n"), tmp_path / "bad.csv"
    done = pulled("import", "demo", path, "--errors", str(marked))
    assert done.exit_code == 2
    assert "with 1 error marked" in done.stdout
    with marked.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[1][:2] == ["mug-1", "12o"]
    assert "is not an amount" in rows[1][2]
    assert rows[2] == ["mug-2", "9", ""]


def test_a_sheet_without_errors_leaves_no_marked_copy(pulled: Run, sheet: Callable[[str], str], tmp_path: Path) -> None:
    marked = tmp_path / "bad.csv"
    assert pulled("import", "demo", sheet("Handle,Variant Price\nmug-1,12\n"), "--errors", str(marked)).exit_code == 0
    assert not marked.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("template", "prices.ods"), 2, "end it in .csv or .xlsx"),
        (("map", "Acme", "Preis"), 2, "write TITLE=FIELD"),
        (("map", "Acme", "Preis=pirce"), 2, "pirce"),
        (("unmap", "Nobody"), 1, "Nobody"),
    ],
)
def test_what_cannot_be_asked(pulled: Run, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    done = pulled("sheet", *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert sentence in " ".join(done.stderr.split())
