"""Hooks of set-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart
    from ...blueprints import Blueprint

# Set-up: once for each app, at the first need of any plugin -------------------------------------------------------


@hookspec(kind="collect", colour="sync")
def configuration_schema(app: Quart) -> type | None:
    """The plugin's own configuration: a dataclass (the class), one for each plugin. It is filled from the environment
    (`QUART_PLUG_NAME__KEY`), `PLUGIN_CONFIG`, `[plugins.NAME]` of configuration files and pyproject.toml before any
    other hook is called; `app.plugin_config(TheClass)` gives it."""


@hookspec(kind="collect", colour="sync")
def configuration_defaults(app: Quart) -> Mapping[str, Any] | None:
    """Settings and their defaults; a value that the application set itself is never overwritten."""


@hookspec(kind="collect", colour="sync")
def url_converters(app: Quart) -> Mapping[str, type] | None:
    """URL converters by name (subclasses of `werkzeug.routing.BaseConverter`), for `<name:variable>` in rules."""


@hookspec(kind="collect", colour="sync")
def blueprints(app: Quart) -> Iterable[Blueprint | tuple[Blueprint, Mapping[str, Any]]] | None:
    """Blueprints to register, each alone or with the options of `register_blueprint`, such as `url_prefix`."""


@hookspec(kind="collect", colour="sync")
def signals(app: Quart) -> Mapping[str, str] | None:
    """Signals of the plugin's own: the name of each, and the hook that it is sent for, with the hook's arguments.

    The hook is any `async` one but for kind `around`, mostly of the plugin's own. Whoever listens gets the signal by
    `quart_plug.signals.signal(name)`; as long as nobody does, or with the plugin `signals` off, none is sent.
    """


@hookspec(kind="notify", colour="sync")
def setup(app: Quart) -> None:
    """Set the app up: add routes, blueprints, before and after functions. The configuration is complete."""


@hookspec(kind="notify", colour="sync")
def setup_finished(app: Quart) -> None:
    """Every plugin has been set up."""


@hookspec(kind="collect", colour="sync")
def cli_commands(app: Quart) -> Iterable[Any] | None:
    """Commands (click) to add to `quart-plug`; the application's own commands win over them."""


@hookspec(kind="collect", colour="sync")
def shell_context(app: Quart) -> Mapping[str, Any] | None:
    """Names for the interactive shell; the application's shell context processors win over them."""
