"""The command `shell`: a Python prompt in an application context, where `await` works."""

from __future__ import annotations

import ast
import asyncio
import code
import contextvars
import inspect
import os
import platform
import sys
import types
from typing import Any

import click

from quart_plug import Quart

from .options import app_option
from .script import ScriptInfo, pass_script_info


@click.command("shell", short_help="Open a Python prompt.", params=[app_option()])
@pass_script_info
def shell_command(info: ScriptInfo) -> None:
    """Open a Python prompt in an application context; `await` works in it.

    The names are those of the app's shell context processors and of its plugins.
    """
    app = info.load_app()
    app.setup_plugins()
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as file:
            exec(compile(file.read(), startup, "exec"), names)  # the user's own file, as `python` does it
    banner = f"Python {platform.python_version()} on {sys.platform}\nApp: {app.import_name}; `await` works here"
    with asyncio.Runner(debug=app.debug) as runner:
        _interact(app, names, banner, runner)


def _interact(app: Quart, names: dict[str, Any], banner: str, runner: asyncio.Runner) -> None:
    variables = contextvars.copy_context()
    app_context = app.app_context()

    async def push() -> None:
        await app_context.push()

    async def pop() -> None:
        await app_context.pop(None)

    runner.run(push(), context=variables)
    try:
        names.update(variables.run(app.make_shell_context))
        try:
            import readline
            import rlcompleter
        except ImportError:
            pass  # no line editing on this platform
        else:
            readline.set_completer(rlcompleter.Completer(names).complete)
        Console(names, runner, variables).interact(banner=banner, exitmsg="")
    finally:
        runner.run(pop(), context=variables)


class Console(code.InteractiveConsole):
    """A prompt that awaits what needs awaiting, in the runner's loop and always in the same variables."""

    def __init__(self, names: dict[str, Any], runner: asyncio.Runner, variables: contextvars.Context) -> None:
        super().__init__(names)
        self.runner = runner
        self.variables = variables
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: types.CodeType) -> None:
        try:
            # A function of the code, since only its call gives the coroutine that `await` in it makes.
            result = self.variables.run(types.FunctionType(code, self.locals))
            if inspect.iscoroutine(result):
                self.runner.run(result, context=self.variables)
        except SystemExit:
            raise
        except BaseException:
            self.showtraceback()
