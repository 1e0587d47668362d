"""Where the keys of the secrets at rest come from: the environment, a file that is handed to us, or one of our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncline.main.settings import Settings
from syncline.runtime.secrets import KEY_FILE, SecretBox, ensure_key_file, read_key_file


def open_box(settings: Settings) -> SecretBox:
    """The keys of SYNCLINE_SECRET_KEYS, else of SYNCLINE_SECRET_KEYS_FILE, else of the file in the data directory. The
    files are read again when they change. Raises `ValueError` or `OSError` for keys that cannot be used."""
    if settings.secret_keys:
        return SecretBox(settings.secret_keys)
    given, own = settings.secret_keys_file, settings.data_dir

    def read() -> Sequence[str]:
        return ensure_key_file(own) if given is None else read_key_file(given)

    return SecretBox(read(), read)


def are_ours(settings: Settings) -> bool:
    """Whether the keys lie in a file of our own, in which we may put a new one."""
    return not settings.secret_keys and settings.secret_keys_file is None


def place_of(settings: Settings) -> str:
    """Where a person finds them; from the current folder where it is below it, which is quicker to read."""
    if settings.secret_keys:
        return "SYNCLINE_SECRET_KEYS"
    file, here = _file_of(settings), Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _file_of(settings: Settings) -> Path:
    return settings.secret_keys_file or settings.data_dir / KEY_FILE
