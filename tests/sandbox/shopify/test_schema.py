from __future__ import annotations

import tarfile
import threading
from pathlib import Path

import pytest

from syncline.sandbox.shopify import schema
from syncline.sandbox.shopify.schema import VERSIONS, SchemaUnavailableError, ensure_schema_files, load_schema


def packed(folder: Path) -> Path:
    """A tarball laid out as the package is."""
    source = folder / "source"
    source.mkdir()
    tarball = folder / "package.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        for name in [f"dist/data/admin_{version}.json.gz" for version in VERSIONS] + ["LICENSE", "dist/other.js"]:
            file = source / name.replace("/", "_")
            file.write_bytes(name.encode())
            archive.add(file, f"package/{name}")
    return tarball


@pytest.mark.parametrize(("version", "queries", "mutations"), [("2025-10", 267, 489), ("2026-10", 288, 524)])
def test_the_schema_is_the_published_one(version: str, queries: int, mutations: int) -> None:
    found = load_schema(version).graphql
    assert found.query_type is not None
    assert found.mutation_type is not None
    assert (len(found.query_type.fields), len(found.mutation_type.fields)) == (queries, mutations)


def test_scopes_come_from_the_table_beside_the_schema() -> None:
    found = load_schema("2026-10")
    assert found.types["Product"].scopes == {"read_products"}
    assert found.fields["Mutation", "inventorySetQuantities"].scopes == {"write_inventory"}


def test_versions_are_compared_by_age_and_unstable_is_newest() -> None:
    assert load_schema("2026-10").at_least("2026-04")
    assert not load_schema("2025-10").at_least("2026-01")


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(ValueError, match="2019-04"):
        load_schema("2019-04")


def test_a_machine_without_npm_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SchemaUnavailableError, match=r"install Node\.js"):
        ensure_schema_files(tmp_path)


def test_another_package_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tarball = packed(tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/true")
    monkeypatch.setattr("subprocess.run", lambda *_, cwd, **__: (cwd / "x.tgz").write_bytes(tarball.read_bytes()))
    with pytest.raises(SchemaUnavailableError, match="is not the package"):
        ensure_schema_files(tmp_path / "cache")
    assert [one.name for one in (tmp_path / "cache").iterdir()] == []


def test_two_processes_may_fetch_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tarball = packed(tmp_path)
    both = threading.Barrier(2)

    def fetch(_: Path) -> Path:
        both.wait()
        return tarball

    monkeypatch.setattr(schema, "_fetch", fetch)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_schema_files(tmp_path / "c"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert sorted(one.name for one in found[0].iterdir()) == ["LICENSE", *(f"admin_{v}.json.gz" for v in VERSIONS)]
    assert [one.name for one in (tmp_path / "c").iterdir()] == [found[0].name]
