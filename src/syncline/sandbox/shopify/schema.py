"""Shopify's published Admin schema, fetched once from npm and kept outside the project.

`@shopify/dev-mcp` (ISC licence, Shopify Inc.) ships the complete introspection JSON of each API version together with a
table of the access scopes every type and field asks for. The package is pinned by version and by its tarball's sha256.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLSchema, build_client_schema

from syncline.kernel.collecting import none_collected

PACKAGE = "@shopify/dev-mcp"
PACKAGE_VERSION = "1.16.0"
TARBALL_SHA256 = "4663c79229028e98f825a09d5f04ec6c3736331b740ce50260f9ffac10709474"
VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10", "unstable")
FETCH_SECONDS = 300


class SchemaUnavailableError(RuntimeError):
    """The schema is not on this machine and could not be fetched; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a type or field asks for: any one of `scopes`, in the words of `text`."""

    scopes: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class AdminSchema:
    version: str
    graphql: GraphQLSchema
    types: Mapping[str, Access]
    fields: Mapping[tuple[str, str], Access]

    def at_least(self, version: str) -> bool:
        """Whether this is `version` or newer; `unstable` is newest."""
        return self.version >= version


def cache_folder() -> Path:
    """Where fetched files are kept: $SYNCLINE_CACHE_DIR, or ~/.cache/syncline."""
    chosen = os.environ.get("SYNCLINE_CACHE_DIR")
    root = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "syncline"
    return root / "shopify-schema"


def ensure_schema_files(folder: Path | None = None) -> Path:
    """The folder with `admin_<version>.json.gz`, fetched now when it is not there.

    Two processes may do this at once: each works in a folder of its own and the first rename wins. Raises
    `SchemaUnavailableError`.
    """
    root = folder or cache_folder()
    ready = root / f"dev-mcp-{PACKAGE_VERSION}-{TARBALL_SHA256[:12]}"
    if ready.is_dir():
        return ready
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix="fetch-") as working:
        unpacked = _unpack(_fetch(Path(working)), Path(working) / "ready")
        try:
            unpacked.rename(ready)
        except OSError:
            if not ready.is_dir():
                raise
    return ready


def load_schema(version: str) -> AdminSchema:
    """The schema of one API version. The first call per version takes about half a second, later ones nothing."""
    if version not in VERSIONS:
        raise ValueError(f"There is no schema for the API version {version!r}; there are {', '.join(VERSIONS)}.")
    return _load(ensure_schema_files() / f"admin_{version}.json.gz", version)


@cache
def _load(path: Path, version: str) -> AdminSchema:
    parsed = msgspec.json.decode(gzip.decompress(path.read_bytes()))
    types: dict[str, Access] = {}
    fields: dict[tuple[str, str], Access] = {}
    for item in parsed["offline_scopes"]["items"]:
        if not item["offlineScopes"]:
            continue
        access = Access(frozenset(item["offlineScopes"]), item["requiredAccess"])
        if item["type"] == "type":
            types[item["typeName"]] = access
        else:
            fields[item["typeName"], item["fieldName"]] = access
    return AdminSchema(version, _build(parsed["data"]), types, fields)


def _build(introspection: dict[str, Any]) -> GraphQLSchema:
    with none_collected():
        # Strict validation finds six interface fields that are not deprecated while the implementing field is; Shopify
        # serves the schema all the same.
        return build_client_schema(introspection, assume_valid=True)  # type: ignore[arg-type]


def _fetch(working: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SchemaUnavailableError(
            "The Shopify sandbox needs Shopify's published schema, which comes from the npm package "
            f"{PACKAGE} {PACKAGE_VERSION}: install Node.js (it brings npm) and try again."
        )
    command = [npm, "pack", "--silent", f"{PACKAGE}@{PACKAGE_VERSION}"]
    try:
        subprocess.run(command, cwd=working, check=True, capture_output=True, timeout=FETCH_SECONDS)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() if error.stderr else []
        raise SchemaUnavailableError(
            f"npm could not fetch {PACKAGE} {PACKAGE_VERSION}, which holds Shopify's published schema; check that this "
            f"machine reaches a package registry. npm said: {said[-1] if said else 'nothing'}"
        ) from error
    tarball = next(working.glob("*.tgz"))
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != TARBALL_SHA256:
        raise SchemaUnavailableError(
            f"What npm delivered as {PACKAGE} {PACKAGE_VERSION} is not the package this version of Syncline was made "
            f"with (sha256 {found}, expected {TARBALL_SHA256})."
        )
    return tarball


def _unpack(tarball: Path, into: Path) -> Path:
    into.mkdir()
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = Path(member.name).name
            wanted = member.name == "package/LICENSE" or (name.startswith("admin_") and name.endswith(".json.gz"))
            content = archive.extractfile(member) if wanted and member.isfile() else None
            if content is not None:
                (into / name).write_bytes(content.read())
    missing = [version for version in VERSIONS if not (into / f"admin_{version}.json.gz").is_file()]
    if missing:
        raise SchemaUnavailableError(f"{PACKAGE} {PACKAGE_VERSION} has no schema for {', '.join(missing)}.")
    return into
