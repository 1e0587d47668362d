"""`python -m syncline.main` is the `syncline` command."""

from syncline.main.cli import run

run()
