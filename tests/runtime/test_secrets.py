from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from syncline.runtime.secrets import SecretBox, SecretKeyMissing, ensure_key_file

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_is_sealed_opens_again_and_does_not_show() -> None:
    box = SecretBox([NEW])
    sealed = box.seal("shpat_tökén")
    assert b"shpat" not in sealed
    assert box.open(sealed) == "shpat_tökén"


def test_a_rotated_key_still_opens_what_the_old_one_sealed() -> None:
    sealed = SecretBox([OLD]).seal("token")
    both = SecretBox([NEW, OLD])
    assert both.open(sealed) == "token"
    assert SecretBox([NEW]).open(both.reseal(sealed)) == "token"


def test_without_its_key_a_secret_stays_shut_and_the_sentence_says_what_to_do() -> None:
    sealed = SecretBox([OLD]).seal("token")
    with pytest.raises(SecretKeyMissing, match="SYNCLINE_SECRET_KEYS"):
        SecretBox([NEW]).open(sealed)


def test_a_changed_byte_is_noticed() -> None:
    box = SecretBox([NEW])
    sealed = bytearray(box.seal("token"))
    sealed[20] ^= 1
    with pytest.raises(SecretKeyMissing):
        box.open(bytes(sealed))


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "x" * 44]])
def test_keys_that_are_none_are_refused_at_once(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="key"):
        SecretBox(keys)


def test_the_key_file_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    first = ensure_key_file(tmp_path / "data")
    assert ensure_key_file(tmp_path / "data") == first
    assert stat.S_IMODE((tmp_path / "data" / "secret.keys").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.keys"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: tuple(ensure_key_file(tmp_path)), range(32)))
    assert len(set(found)) == 1


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ensure_key_file(tmp_path)
    (tmp_path / "secret.keys").chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        ensure_key_file(tmp_path)
