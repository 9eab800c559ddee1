"""The command `run`."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any, NoReturn

import click

from quart_plug import Quart, commands
from quart_plug.commands import timing
from quart_plug.leaving import end_program

from .loading import AppImportFailed, users_traceback
from .options import app_option, debug_option
from .script import ScriptInfo, debug_from_environment, pass_script_info

_FILE = click.Path(exists=True, dir_okay=False)


@click.command("run", short_help="Run a server.", params=[app_option(), debug_option()])
@click.option(
    "--host", "-h", default="127.0.0.1", show_default=True, envvar=["QUART_PLUG_RUN_HOST", "QUART_RUN_HOST"],
    help="The address to listen on; 0.0.0.0 for all.",
)  # fmt: skip
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), default=5000, show_default=True,
    envvar=["QUART_PLUG_RUN_PORT", "QUART_RUN_PORT"], help="The port; 0 takes a free one.",
)  # fmt: skip
@click.option("--reload/--no-reload", default=None, help="Restart when code changes; on in debug mode.")
@click.option("--certfile", "--cert", type=_FILE, help="The certificate, for HTTPS.")
@click.option("--keyfile", "--key", type=_FILE, help="The certificate's key, where it is in a file of its own.")
@click.option("--ca-certs", type=_FILE, help="The authorities whose client certificates are accepted.")
@click.option("--server", metavar="NAME", help="A server by name; hypercorn by default.")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, metavar="NUMBER",
    help="How many processes serve; not with --reload.",
)  # fmt: skip
@click.option("--access-log/--no-access-log", default=True, help="Write a line for each request.")
@click.option(
    "--limit-connections", type=click.IntRange(1), metavar="NUMBER", help="How many connections may be open at a time."
)
@click.option(
    "--backlog", type=click.IntRange(1), metavar="NUMBER",
    help="How many connections wait in the system until they are accepted; 1024 by default.",
)  # fmt: skip
@click.option(
    "--keep-alive", type=click.FloatRange(min=0), metavar="SECONDS",
    help="How long an idle connection is kept for another request; 5 by default.",
)  # fmt: skip
@click.option(
    "--limit-headers", type=click.IntRange(256), metavar="BYTES",
    help="The size of a request's line and headers; 65536 by default.",
)  # fmt: skip
@click.option(
    "--trace-plugins", is_flag=True,
    help="Time plugins: a line for each slow request, and a summary at the end, or on SIGUSR1.",
)  # fmt: skip
@click.option(
    "--trace-slow", type=click.FloatRange(min=0), metavar="MILLISECONDS", default=timing.SLOW_MILLISECONDS,
    show_default=True, help="With --trace-plugins: from when on a request is slow; 0 for a line for each.",
)  # fmt: skip
@pass_script_info
def run_command(
    info: ScriptInfo,
    /,
    host: str,
    port: int,
    reload: bool | None,
    certfile: str | None,
    keyfile: str | None,
    ca_certs: str | None,
    server: str | None,
    workers: int,
    access_log: bool,
    trace_plugins: bool,
    trace_slow: float,
    **limits: Any,
) -> None:
    """Run a server for the application, until Ctrl+C.

    With --debug the reloader and the traceback page are on; that is for development only.
    """
    if workers > 1 and reload:
        raise click.UsageError("--workers and --reload do not go together: the reloader restarts one process.")
    with timing.tracing_run(trace_slow) if trace_plugins else nullcontext() as attach:
        may_reload = workers == 1 and (debug_from_environment() if reload is None else reload)
        app = _loaded(info, may_reload)
        if attach is not None:
            attach(app)
        # The method, which an application may have overridden with Quart's arguments; the others only where given.
        more: dict[str, Any] = {} if ca_certs is None else {"ca_certs": ca_certs}
        if server is not None:
            more["server"] = server
        options = {name: value for name, value in limits.items() if value is not None}
        if not access_log:
            options["access_log"] = False
        if options:
            more["server_options"] = options
        if workers != 1:
            more["workers"] = workers
        app.run(
            host=host,
            port=port,
            use_reloader=app.debug if reload is None else reload,
            certfile=certfile,
            keyfile=keyfile,
            **more,
        )
        if commands.is_program:
            end_program()


def _loaded(info: ScriptInfo, reload: bool | None) -> Quart:
    try:
        return info.load_app()
    except AppImportFailed as error:
        if not reload:
            raise
        failure = error
    # Out of the `except`, so that what is raised below has not our own error as its context.
    return _run_broken(failure)


def _run_broken(failure: AppImportFailed) -> NoReturn:
    """Show what the application raised, and wait for a change that cures it."""
    error = failure.__cause__ or failure
    tb = users_traceback(error)

    def fail() -> None:
        raise error.with_traceback(tb)

    # There is no application to ask, so one of ours asks for the reloader in its place.
    stand_in = Quart("quart_plug_cli", root_path=os.getcwd())
    stand_in.plugin_slot("debug_page").run_with_reloader(fail, stand_in)
    raise failure
