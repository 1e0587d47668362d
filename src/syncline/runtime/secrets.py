"""Secrets at rest: vendor tokens are sealed before they reach a row, and opened only where they are used."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
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

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one secret key is needed")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise ValueError(
                "a secret key is not valid: each is 32 random bytes in URL-safe base64; make one with: python -c"
                " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from error

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises `SecretKeyMissing` when none of the keys sealed it."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken as error:
            raise SecretKeyMissing(
                "A stored secret was sealed with a key this installation does not have. Put the key it was sealed with"
                f" back (SYNCLINE_SECRET_KEYS, or {KEY_FILE} in the data directory), or enter the secret again."
            ) from error

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the first key; for the job that finishes a rotation."""
        return self._fernet.rotate(bytes(sealed))


def ensure_key_file(data_dir: Path) -> list[str]:
    """The keys in `data_dir/secret.keys`, one per line, newest first; made on first use, readable by the owner only.

    Two processes that start at once agree: the file is written elsewhere and linked into place; the first link wins.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f".{KEY_FILE}.{token_hex(6)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(Fernet.generate_key().decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process made it between our look and our link; theirs is as good
        finally:
            draft.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}")
    return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
