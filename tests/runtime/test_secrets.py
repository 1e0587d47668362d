from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from syncline.runtime.secrets import SecretBox, SecretKeyMissing, add_key, ensure_key_file, read_key_file

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


def test_a_key_added_by_another_process_is_taken_up_to_seal_and_to_open(tmp_path: Path) -> None:
    one, other = (SecretBox(ensure_key_file(tmp_path), partial(ensure_key_file, tmp_path)) for _ in range(2))
    before = one.seal("token")
    add_key(tmp_path)
    assert not one.is_newest(before)
    after = one.seal("token")
    assert one.is_newest(after)
    assert other.open(after) == other.open(before) == "token"
    assert other.is_newest(other.reseal(before))


def test_keys_added_at_once_are_all_kept_and_only_for_their_owner(tmp_path: Path) -> None:
    first = ensure_key_file(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_key(tmp_path), range(8)))
    kept = ensure_key_file(tmp_path)
    assert len(set(kept)) == 9
    assert kept[-1:] == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret.keys"]


def test_a_secret_of_a_lost_key_stays_shut_after_looking_again(tmp_path: Path) -> None:
    box = SecretBox(ensure_key_file(tmp_path), partial(ensure_key_file, tmp_path))
    with pytest.raises(SecretKeyMissing):
        box.open(SecretBox([OLD]).seal("token"))


def test_nothing_is_sealed_while_the_keys_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n{OLD}\n")
    box = SecretBox(read_key_file(file), partial(read_key_file, file))
    sealed = box.seal("token")
    file.unlink()
    assert box.open(sealed) == "token"
    with pytest.raises(SecretKeyMissing, match="Put it back"):
        box.seal("another")
