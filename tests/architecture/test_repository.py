"""What lies in the repository: names, paths, dependencies."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from syncline.main.reference import PAGES

FORBIDDEN_FOLDERS = {"utils", "util", "common", "helpers", "core", "shared"}

# Taken apart so that this file does not find itself.
MACHINE_PATHS = re.compile("|".join(["/" + "work/", "/" + "home/[a-z]", "/" + "Users/[A-Za-z]", r"[A-Z]:\\" + "Users"]))
REGISTRY_HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "index-" + "url"])
)
# uv's options that keep the address out of the file name the thing they leave out; the linter's messages do not.
NAMES_THE_OPTION = {"Makefile"}

GUIDES = re.compile(r"(README|CONTRIBUTING|CHANGELOG)\.md|docs/.+\.md")
TOP_LEVEL = {"src", "tests", "docs", "bench", "deploy", "requirements", "web", ".ci"}
# What a guide may name though it is made by a program and not kept.
MADE_BY_PROGRAMS = ("bench/results",)

REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_dependencies(project: dict[str, Any], *extras: str) -> set[str]:
    listed = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {normal(found[0]) for line in listed if (found := REQUIREMENT.match(line))}


def pinned(text: str) -> dict[str, str]:
    """Package -> its lines, from a requirements file."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {normal(block.split("==")[0].split("[")[0]): block for block in blocks if "==" in block}


def test_no_folder_is_a_place_for_anything(files: list[str]) -> None:
    found = {name for name in files if FORBIDDEN_FOLDERS & set(PurePosixPath(name).parts[:-1])}
    files_so_named = {name for name in files if PurePosixPath(name).stem in FORBIDDEN_FOLDERS}
    assert found | files_so_named == set()


def test_no_file_names_a_folder_of_somebodys_machine(texts: dict[str, str]) -> None:
    assert [name for name, text in texts.items() if MACHINE_PATHS.search(text)] == []


def test_no_file_names_a_package_registry(texts: dict[str, str]) -> None:
    found = [name for name, text in texts.items() if REGISTRY_HOSTS.search(text) and name not in NAMES_THE_OPTION]
    assert found == []


def test_every_path_our_guides_name_exists(texts: dict[str, str], root: Path) -> None:
    missing = [
        f"{guide}: {path}"
        for guide, text in texts.items()
        if GUIDES.fullmatch(guide)
        for path in re.findall(r"`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+/?)`", text)
        if PurePosixPath(path).parts[0] in TOP_LEVEL
        and not path.startswith(MADE_BY_PROGRAMS)
        and not (root / path).exists()
    ]
    assert missing == []


def test_every_link_between_our_guides_leads_somewhere(texts: dict[str, str], root: Path) -> None:
    broken = [
        f"{guide}: {target}"
        for guide, text in texts.items()
        if GUIDES.fullmatch(guide)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in target and not target.startswith("mailto:") and not ((root / guide).parent / target).exists()
    ]
    assert broken == []


def test_the_reference_pages_are_what_the_code_says(texts: dict[str, str]) -> None:
    made = {f"docs/reference/{name}": make() for name, make in PAGES.items()}
    assert {name: texts.get(name) for name in made} == made, "run: python -m syncline.main.reference docs/reference"


def test_the_explained_dependencies_are_exactly_the_direct_ones(project: dict[str, Any], texts: dict[str, str]) -> None:
    explained = re.findall(r"^\| `([A-Za-z0-9._-]+)", texts["docs/explanation/dependencies.md"], flags=re.MULTILINE)
    assert sorted(normal(name) for name in explained) == sorted(direct_dependencies(project, "dev", "bench"))


def test_every_direct_dependency_is_pinned_with_its_hashes(project: dict[str, Any], texts: dict[str, str]) -> None:
    base, dev = pinned(texts["requirements/base.txt"]), pinned(texts["requirements/dev.txt"])
    assert direct_dependencies(project) - set(base) == set()
    assert direct_dependencies(project, "dev", "bench") - set(dev) == set()
    assert [name for name, block in (base | dev).items() if "--hash=sha256:" not in block] == []


def test_both_requirement_files_agree(texts: dict[str, str]) -> None:
    versions = {
        name: {file: re.findall(r"==([^\s;\\]+)", block)[0] for file, block in both.items()}
        for name, both in _side_by_side(texts).items()
    }
    assert {name: both for name, both in versions.items() if len(set(both.values())) > 1} == {}


def _side_by_side(texts: dict[str, str]) -> dict[str, dict[str, str]]:
    base, dev = pinned(texts["requirements/base.txt"]), pinned(texts["requirements/dev.txt"])
    return {name: {"base": base[name], "dev": dev[name]} for name in base.keys() & dev.keys()}


def test_requirement_files_hold_no_options(texts: dict[str, str]) -> None:
    lines = texts["requirements/base.txt"].splitlines() + texts["requirements/dev.txt"].splitlines()
    assert [line for line in lines if line.startswith("-") or "://" in line] == []
