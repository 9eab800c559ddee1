"""`AppGroup`, whose commands run in an application context, and `QuartGroup`, the program with them.

Where a name is claimed twice, the entry points `quart.commands` win, by which distributions give Quart's program
commands, or put their own in place of its (quart-shell-ipython's `shell`); then the program's own, then the
application's, then those of plugins.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from quart_plug import Quart
from quart_plug.claims import PluginCommands, commands_of_plugins
from quart_plug.exceptions import PluginError
from quart_plug.hooks.origins import Origin
from quart_plug.hooks.suggestions import nearest

from .loading import NoAppException
from .options import global_options, load_default_files, version_option
from .script import ScriptInfo, with_appcontext, without_appcontext

_ORIGINS = "quart_plug.command_origins"
_FAULTS_SAID = "quart_plug.command_faults_said"


class AppGroup(click.Group):
    """A group whose commands run in an application context, unless `with_appcontext=False`.

    A command's function may be a coroutine function.
    """

    def command(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:  # type: ignore[override]  # as in Quart
        wrap = with_appcontext if kwargs.pop("with_appcontext", True) else without_appcontext
        if args and callable(args[0]):  # @group.command without parentheses
            command: click.Command = super().command(**kwargs)(wrap(args[0]))
            return command

        def decorator(function: Callable[..., Any]) -> click.Command:
            command: click.Command = super(AppGroup, self).command(*args, **kwargs)(wrap(function))
            return command

        return decorator

    def group(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:  # type: ignore[override]  # as in Quart
        kwargs.setdefault("cls", AppGroup)
        decorator: Callable[..., Any] = super().group(*args, **kwargs)
        return decorator

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            # Near to one of ours, the application (which may be broken) need not be asked.
            own = click.Group.list_commands(self, ctx)
            known = own if nearest(name, own) is not None else self.list_commands(ctx)
            raise click.UsageError(_unknown(name, known), ctx)
        return super().resolve_command(ctx, args)


class QuartGroup(AppGroup):
    """The program: its own commands, those of the application, and those of plugins.

    add_default_commands   whether `run`, `routes`, `shell`, `version`, `plugins` and its short forms are there.
    create_app             a function that makes the application; otherwise --app says where it is.
    load_dotenv            whether .env and .quartenv are read.
    set_debug_flag         whether debug mode is set from the environment.

    The rest is passed on to `click.Group`.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Quart] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params = list(extra.pop("params", None) or ())
        params.extend(global_options())
        if add_version_option:
            params.append(version_option)
        # An option of a command may come from the environment, as with Quart: QUART_RUN_PORT, QUART_COMMAND_OPTION.
        settings = {"auto_envvar_prefix": "QUART", **(extra.pop("context_settings", None) or {})}
        super().__init__(params=params, context_settings=settings, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        if add_default_commands:
            from .inspection import (
                disable_command,
                doctor_command,
                list_command,
                plugins_command,
                routes_command,
                version_command,
            )
            from .serving import run_command
            from .shell import shell_command

            for command in (
                run_command, routes_command, shell_command, version_command,
                plugins_command, list_command, doctor_command, disable_command,
            ):  # fmt: skip
                self.add_command(command)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(create_app=self.create_app, set_debug_flag=self.set_debug_flag)
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["quart_plug.load_dotenv"] = self.load_dotenv
        if not args and self.no_args_is_help:
            load_default_files(self.load_dotenv)  # the help lists the application's commands: a variable says whose
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        published = _published().get(name)
        if published is not None:
            return _loaded(published)
        own = super().get_command(ctx, name)
        if own is not None:
            return own
        info = ctx.ensure_object(ScriptInfo)
        try:
            app = info.load_app()
        except NoAppException as error:
            # An unknown word is more likely a misspelt command of ours, when it is near to one; but it may as well be
            # a command of the application that was named.
            if nearest(name, super().list_commands(ctx)) is not None:
                if info.app_import_path is not None:
                    _say_error(ctx, error)
                return None
            raise error
        return _application_commands(ctx, app).get(name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = {*super().list_commands(ctx), *_published()}
        try:
            names.update(_application_commands(ctx, ctx.ensure_object(ScriptInfo).load_app()))
        except NoAppException as error:
            # Help is most wanted when something is wrong, so this does not stop it.
            _say_error(ctx, error)
        return sorted(names)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands; those that plugins add under the name of their plugin."""
        sections: dict[str, list[tuple[str, click.Command]]] = {}
        own = {*super().list_commands(ctx), *_published()}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                origin = None if name in own else ctx.meta.get(_ORIGINS, {}).get(name)
                title = "Commands" if origin is None else f"Commands of the {origin}"
                sections.setdefault(title, []).append((name, command))
        width = max((len(name) for commands in sections.values() for name, _ in commands), default=0)
        limit = formatter.width - 6 - width
        for title in sorted(sections, key=lambda title: (title != "Commands", title)):
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), command.get_short_help_str(limit)) for name, command in sections[title]]
                )


def _say_error(ctx: click.Context, error: NoAppException) -> None:
    """Why the application's commands are not known; once."""
    if not ctx.meta.get("quart_plug.app_error_said"):
        ctx.meta["quart_plug.app_error_said"] = True
        click.echo(f"The application's commands are not listed. {error.format_message()}\n", err=True)


def _published() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="quart.commands")}


def _loaded(point: EntryPoint) -> click.Command:
    """The command; for a broken one a command that says so when it is called, so that the help shows the others."""
    whose = f"the command {point.name!r} of {'an unknown distribution' if point.dist is None else point.dist.name}"
    try:
        command = point.load()
    except Exception as error:
        return _broken(f"{whose} could not be loaded from {point.value!r}: {error!r}")
    if not isinstance(command, click.Command):
        return _broken(f"{whose}, {point.value!r}, is {command!r}, not a click command")
    return command


def _broken(fault: str) -> click.Command:
    @click.command(help=f"Broken: {fault}", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def say() -> None:
        raise click.ClickException(fault)

    return say


def _application_commands(ctx: click.Context, app: Quart) -> dict[str, click.Command]:
    """The application's own commands, then those of its plugins; whose they are is in the context for the help.

    A plugin that fails to give its commands is told once, and the others' are there. Raises NoAppException when the
    plugins cannot be set up.
    """
    commands: dict[str, click.Command] = {}
    origins: dict[str, Origin] = {}
    try:
        for name in app.cli.list_commands(ctx):
            command = app.cli.get_command(ctx, name)
            if command is not None:
                commands[name] = command
                owner = app.plugin_setup.footprints.owner(command)
                if owner is not None:
                    origins[name] = app.plugin_hooks.origin(owner)
    except PluginError as error:
        raise NoAppException(str(error)) from error
    answers = commands_of_plugins(app)
    for command, origin in answers.found:
        if command.name is not None and command.name not in commands:
            commands[command.name], origins[command.name] = command, origin
    _say_faults(ctx, answers)
    ctx.meta[_ORIGINS] = origins
    return commands


def _say_faults(ctx: click.Context, answers: PluginCommands) -> None:
    """Which plugins' commands are not known, and why; each once, however often they are asked."""
    said = ctx.meta.setdefault(_FAULTS_SAID, set())
    for origin, fault in answers.faults:
        if origin.plugin not in said:
            said.add(origin.plugin)
            click.echo(f"The commands of {origin} are not there: its hook 'cli_commands' failed: {fault}\n", err=True)


def _unknown(name: str, known: list[str]) -> str:
    close = nearest(name, known)
    meant = f" Did you mean {close!r}?" if close is not None else f" There are: {', '.join(known)}."
    return f"No such command {name!r}.{meant}"
