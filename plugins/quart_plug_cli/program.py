"""The program `quart-plug`: every error is one message on stderr and an exit status, no traceback of ours.

Exit statuses: 0 for success, 1 when something does not work, 2 when the command line makes no sense.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from quart_plug.exceptions import PluginError

from .groups import QuartGroup

cli = QuartGroup(
    name="quart-plug",
    help="Run and inspect applications made with quart-plug.\n\n"
    "An application is found with --app, QUART_PLUG_APP, or as app.py or wsgi.py in this folder.",
)


def run_program(args: Sequence[str] | None = None) -> int:
    """Run a command line (by default `sys.argv`), and give the exit status."""
    if os.getcwd() not in sys.path:
        # A console script has its own folder there; the application is in the user's.
        sys.path.insert(0, os.getcwd())
    try:
        cli.main(args=None if args is None else list(args), prog_name="quart-plug")
    except SystemExit as end:
        if isinstance(end.code, int):
            return end.code
        if end.code is None:
            return 0
        click.echo(end.code, err=True)
        return 1
    except PluginError as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        click.echo(f"Error: {error}{notes}", err=True)
        return 1


def main() -> None:
    """The entry point in Quart's form: run and leave."""
    sys.exit(run_program())
