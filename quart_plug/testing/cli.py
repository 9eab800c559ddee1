"""Runs an app's commands in tests, over click's `CliRunner`.

Imported only when asked for, since it imports click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

if TYPE_CHECKING:
    from ..app import Quart


class QuartCliRunner(CliRunner):
    """click's runner; the app and its commands are the defaults: `runner.invoke(args=["hello"])`."""

    def __init__(self, app: Quart, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    # Quart's signature is wider than click's
    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """Run a command.

        cli   the command or group; default: the app's.
        obj   what commands get as context object; default: a ScriptInfo that gives this app.
        """
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            from ..cli import ScriptInfo

            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(cli, args, **kwargs)
