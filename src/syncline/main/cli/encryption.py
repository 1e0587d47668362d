"""`syncline keys rotate-encryption`: a new key for the secrets at rest, and every secret sealed with it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from syncline.main.cli.console import AsJson, DataDir, command, emit, say, table
from syncline.main.cli.workspace import open_workspace
from syncline.main.rotation import rotate
from syncline.main.secret_keys import are_ours, place_of
from syncline.main.targets import APPS
from syncline.runtime.secrets import add_key


@command
async def rotate_encryption(
    *,
    new_key: Annotated[
        bool, typer.Option(help="Make a new key first; without it, only seal again what an older key sealed.")
    ] = True,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Seal every stored secret (store tokens, signing keys, authenticator seeds, mails) with a new key, online.

    Keys in the data directory: a new one is put in front, and running processes take it up by themselves. Keys in
    SYNCLINE_SECRET_KEYS or a file of yours: put the new one there first; this then only seals again. Stopped half-way,
    run it again with --no-new-key. The old keys stay, to open what a backup holds.

    \b
    Examples:
      syncline keys rotate-encryption
      syncline keys rotate-encryption --no-new-key --json
    """
    async with open_workspace(data_dir) as here:
        makes = new_key and are_ours(here.settings)
        adding = partial(add_key, here.settings.data_dir) if makes else None
        counts = await rotate(here.runtime, APPS, add_key=adding)
        place = place_of(here.settings)
    body = {"new_key": makes, "keys": place, "sealed_again": counts}
    emit(body, as_json=as_json, show=lambda: table(("secret", ">sealed again"), counts.items()))
    if not as_json:
        say(f"Nothing is sealed with an older key now. The old keys are still in {place}, for backups.", style="dim")
