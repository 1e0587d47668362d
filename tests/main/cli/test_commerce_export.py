from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
FORMATS = ("csv", "xlsx", "json", "jsonl", "parquet")
LOCKED = "nobody may write here, and nobody is root"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_store_is_written_and_told(pulled: Run, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    done = pulled("export", "demo", str(path))
    assert done.exit_code == 0
    assert f"14 rows of 13 products in {path}" in done.stdout
    assert done.stderr.startswith("writing products.csv: 14")
    assert len(rows_of(path.read_text(encoding="utf-8"))) == 14


@pytest.mark.parametrize("ending", FORMATS)
def test_what_was_written_comes_back_without_a_change(pulled: Run, tmp_path: Path, said: Said, ending: str) -> None:
    path = str(tmp_path / f"products.{ending}")
    assert pulled("export", "demo", path).exit_code == 0
    result = said(pulled("import", "demo", path, "--json"))
    assert (result["staged"], result["errors"], result["products"]) == (0, 0, 13)


def test_json_is_the_result(pulled: Run, tmp_path: Path, said: Said) -> None:
    path = tmp_path / "stock.csv"
    result = said(pulled("export", "demo", str(path), "--kind", "inventory", "--where", "vendor:Acme", "--json"))
    assert (result["rows"], result["products"], result["kind"], result["format"]) == (3, 1, "inventory", "csv")
    assert (result["path"], result["bytes"]) == (str(path), path.stat().st_size)
    assert result["notes"] == []


def test_standard_output_holds_the_file_and_nothing_else(pulled: Run) -> None:
    done = pulled("export", "demo", "-", "--format", "csv", "--columns", "sku,price", "--where", "linen")
    assert done.exit_code == 0
    assert [(row["SKU"], row["Price"]) for row in rows_of(done.stdout)] == [("SHIRT-S", "20.00"), ("SHIRT-M", "22.00")]
    lines = pulled("export", "demo", "-", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(line)["handle"] for line in lines} >= {"linen-shirt", "mug-1"}


def test_what_is_not_understood_is_exit_2(pulled: Run, tmp_path: Path) -> None:
    for arguments, part in (
        ((str(tmp_path / "products.txt"),), "does not say what kind of file it is"),
        (("-",), "--format csv or --format jsonl"),
        (("-", "--format", "xlsx"), "cannot go to standard output"),
        (("-", "--format", "csv", "--json"), "no room for --json"),
        ((str(tmp_path / "a.csv"), "--columns", "prise"), "no column 'prise'"),
        ((str(tmp_path / "a.csv"), "--where", "vendr:x"), "vendr"),
        ((str(tmp_path / "a.csv"), "--kind", "orders"), "products or inventory"),
        ((str(tmp_path / "none" / "a.csv"),), "There is no such folder"),
    ):
        done = pulled("export", "demo", *arguments)
        assert (done.exit_code, part in done.stdout + done.stderr) == (2, True)
    assert [*tmp_path.glob("*a.csv*"), *tmp_path.glob("none")] == []


def test_a_file_that_is_there_is_refused_and_replaced_by_force(pulled: Run, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("mine")
    done = pulled("export", "demo", str(path))
    assert (done.exit_code, "add --force" in done.stderr, path.read_text()) == (3, True, "mine")
    assert pulled("export", "demo", str(path), "--force").exit_code == 0
    assert path.read_text(encoding="utf-8").startswith("Title,URL handle")


def test_nothing_found_is_exit_3_and_no_file(pulled: Run, tmp_path: Path) -> None:
    done = pulled("export", "demo", str(tmp_path / "a.csv"), "--where", "vendor:Nobody")
    assert (done.exit_code, "nothing was written" in done.stderr) == (3, True)
    assert not (tmp_path / "a.csv").exists()


def test_a_store_that_is_not_there_is_exit_1(on_database: Run, tmp_path: Path) -> None:
    done = on_database("export", "nope", str(tmp_path / "a.csv"))
    assert (done.exit_code, "syncline stores list" in done.stderr) == (1, True)


@pytest.mark.process
def test_a_disk_without_room_and_a_reader_that_leaves(pulled: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "syncline.main", "export", "demo"]
    limited = "import resource, sys, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500));"
    limited += "sys.argv = ['syncline', *sys.argv[1:]]; runpy.run_module('syncline.main', run_name='__main__')"
    path = tmp_path / "out"
    path.mkdir()
    full = subprocess.run(
        [sys.executable, "-c", limited, "export", "demo", str(path / "a.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (full.returncode, [*path.iterdir()]) == (1, [])
    assert "could not be written: File too large" in full.stderr
    assert "Traceback" not in full.stderr
    with subprocess.Popen(
        [*command, "-", "--format", "jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as left:
        assert left.stdout is not None
        assert left.stderr is not None
        left.stdout.close()
        assert "Traceback" not in left.stderr.read()


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason=LOCKED)
def test_a_folder_that_may_not_be_written_is_exit_2(pulled: Run, tmp_path: Path) -> None:
    done = pulled("export", "demo", "/proc/products.csv")
    assert done.exit_code == 2
    assert "/proc" in done.stderr
