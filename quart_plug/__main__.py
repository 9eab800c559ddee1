"""The program: `quart-plug`, and `python -m quart_plug`.

The commands about plugins are answered by the kernel (see `commands`), so that they work with every plugin broken.
Everything else is handed to whatever fills the slot `command_line`; when nothing does, one line says how to turn that
on.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (by default `sys.argv`); gives the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands.is_program = argv is None  # else somebody goes on in this process: a test, say
    if os.getcwd() not in sys.path:  # plugins and applications of the project, as with `python -m`
        sys.path.insert(0, os.getcwd())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that does not know a letter shows another one
    try:
        status = commands.run(arguments)
        if status is None:
            status = commands.guarded(lambda: _hand_over(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = commands.FAILURE
    return status


def _hand_over(arguments: list[str]) -> int:
    from .app import Quart
    from .commands.options import apply_leading_plugin_options
    from .commands.state import quietly

    # An application of our own asks for the command line as the user's would. It is not strict: another
    # plugin that is broken must not keep the command line from working; and who runs it is told by their own.
    apply_leading_plugin_options(arguments)
    asking = Quart("quart_plug", root_path=str(Path.cwd()))
    asking.config["PLUGINS_STRICT"] = False
    asking.plugin_hooks.lone = True
    with quietly():
        command_line = asking.plugin_slot("command_line")
    status: int = command_line.main(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
