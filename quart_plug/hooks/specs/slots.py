"""Hooks that fill a replaceable part of the framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart
    from ...typing import (
        CommandLine,
        DebugPage,
        FileServer,
        JSONProvider,
        Rooms,
        Server,
        SessionInterface,
        TemplateEngine,
    )

# Slots: who fills a replaceable part of the framework ---------------------------------------------------------------


@hookspec(kind="first", colour="sync", provider="json")
def json_provider(app: Quart) -> JSONProvider | None:
    """The provider behind `app.json`, `jsonify`, `receive_json` and dictionaries returned by views."""


@hookspec(kind="first", colour="sync", provider="sessions")
def session_interface(app: Quart) -> SessionInterface | None:
    """The interface behind `session`: it opens each connection's session, and saves it."""


@hookspec(kind="first", colour="sync", provider="templates")
def template_engine(app: Quart) -> TemplateEngine | None:
    """The engine behind `render_template` and its relatives."""


@hookspec(kind="first", colour="sync", provider="static")
def file_server(app: Quart) -> FileServer | None:
    """What answers `send_file`, `send_from_directory` and static files."""


@hookspec(kind="first", colour="sync", provider="cli")
def command_line(app: Quart) -> CommandLine | None:
    """The command line behind `app.cli`."""


@hookspec(kind="first", colour="sync", provider="hypercorn")
def server(app: Quart, name: str | None) -> Server | None:
    """A server by name (`quart-plug run --server NAME`), or the default one when `name` is None."""


@hookspec(kind="first", colour="sync", provider="debug")
def debug_page(app: Quart) -> DebugPage | None:
    """What makes the page for an unhandled error in debug mode, and reloads on changes."""


@hookspec(kind="first", colour="sync", provider="rooms")
def rooms(app: Quart) -> Rooms | None:
    """The rooms behind `app.rooms`: who is where, and who hears what is said there."""
