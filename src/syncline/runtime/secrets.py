"""Secrets at rest: vendor tokens are sealed before they reach a row, and opened only where they are used."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from syncline.kernel.errors import Unavailable

KEY_FILE = "secret.keys"


class SecretKeyMissing(Unavailable):
    code = "SEC_001"
    title = "A stored secret cannot be opened"


class SecretBox:
    """Seals with the first key and opens with any, so that a key is rotated by putting the new one in front."""

    def __init__(self, keys: Sequence[str], source: Callable[[], Sequence[str]] | None = None) -> None:
        """`source` reads the keys as they are now, so that one added by another process is taken up without a restart:
        before anything is sealed, and when something does not open. Raises `ValueError` for what is no key."""
        self._source = source
        self._take(keys)

    def _take(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one secret key is needed")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError as error:
            raise ValueError(
                "a secret key is not valid: each is 32 random bytes in URL-safe base64; make one with: python -c"
                " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from error
        self._keys, self._newest, self._fernet = tuple(keys), fernets[0], MultiFernet(fernets)

    def _look_again(self) -> bool:
        """Whether there are other keys than before."""
        try:
            keys = self._keys if self._source is None else tuple(self._source())
        except OSError as error:
            # To go on with the keys as they were might seal with one that is about to be thrown away.
            raise SecretKeyMissing(f"The file of secret keys cannot be read: {error}. Put it back.") from error
        if keys == self._keys:
            return False
        self._take(keys)
        return True

    def seal(self, text: str) -> bytes:
        return self.seal_bytes(text.encode())

    def seal_bytes(self, data: bytes) -> bytes:
        self._look_again()
        return self._fernet.encrypt(data)

    def open(self, sealed: bytes) -> str:
        """Raises `SecretKeyMissing` when none of the keys sealed it."""
        return self.open_bytes(sealed).decode()

    def open_bytes(self, sealed: bytes) -> bytes:
        """Raises `SecretKeyMissing` when none of the keys sealed it."""
        try:
            return self._fernet.decrypt(bytes(sealed))
        except InvalidToken as error:
            if self._look_again():
                return self.open_bytes(sealed)
            raise SecretKeyMissing(
                "A stored secret was sealed with a key this installation does not have. Put the key it was sealed with"
                f" back (SYNCLINE_SECRET_KEYS, or {KEY_FILE} in the data directory), or enter the secret again."
            ) from error

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the newest key. Raises `SecretKeyMissing`."""
        return self.seal_bytes(self.open_bytes(sealed))

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it."""
        self._look_again()
        try:
            self._newest.decrypt(bytes(sealed))
        except InvalidToken:
            return False
        return True


def ensure_key_file(data_dir: Path) -> list[str]:
    """The keys in `data_dir/secret.keys`, one per line, newest first; made on first use, readable by the owner only.

    Two processes that start at once agree: the file is written elsewhere and linked into place; the first link wins.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = _draft(data_dir, [new_key()])
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process made it between our look and our link; theirs is as good
        finally:
            draft.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}")
    return read_key_file(path)


def read_key_file(path: Path) -> list[str]:
    """One key a line, newest first. Raises `OSError`, and `ValueError` for a file of something else."""
    return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]


def add_key(data_dir: Path) -> None:
    """Puts a new key in front of those in `data_dir/secret.keys`; the others stay, to open what they sealed. Processes
    that do so at once take turns, and a reader sees the file before or after, never half of it."""
    ensure_key_file(data_dir)
    # The folder is locked, not the file: the file is replaced.
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        _draft(data_dir, [new_key(), *ensure_key_file(data_dir)]).replace(data_dir / KEY_FILE)
        os.fsync(folder)
    finally:
        os.close(folder)


def new_key() -> str:
    return Fernet.generate_key().decode()


def _draft(data_dir: Path, keys: Sequence[str]) -> Path:
    """A file with `keys`, whole and on the disk, under a name that nobody reads."""
    draft = data_dir / f".{KEY_FILE}.{token_hex(6)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft
