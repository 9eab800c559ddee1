"""Hooks of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart

# Templates ----------------------------------------------------------------------------------------------------------


@hookspec(kind="collect", colour="sync")
def template_context(app: Quart) -> Mapping[str, Any] | None:
    """Names for every template, asked at each rendering; the application's context processors win over them."""


@hookspec(kind="collect", colour="sync")
def template_filters(app: Quart) -> Mapping[str, Callable[..., Any]] | None:
    """Filters for the template engine, by name: `{{ value | NAME }}`."""


@hookspec(kind="collect", colour="sync")
def template_tests(app: Quart) -> Mapping[str, Callable[..., bool]] | None:
    """Tests for the template engine, by name: `{% if value is NAME %}`."""


@hookspec(kind="collect", colour="sync")
def template_globals(app: Quart) -> Mapping[str, Any] | None:
    """Globals for the template engine, by name; they are there in imported templates too, unlike the context."""


@hookspec(kind="collect", colour="sync")
def template_folders(app: Quart) -> Iterable[str] | None:
    """Folders (paths) in which templates are looked for after the application's and the blueprints' own."""


@hookspec(kind="collect", colour="sync")
def template_loaders(app: Quart) -> Iterable[Any] | None:
    """Loaders of the template engine's (jinja2), asked after every folder. Made once for each app."""


@hookspec(kind="notify", colour="async")
async def template_rendering(app: Quart, template: Any, context: dict[str, Any]) -> None:
    """A template is about to be rendered; the context may be changed."""


@hookspec(kind="notify", colour="async")
async def template_rendered(app: Quart, template: Any, context: dict[str, Any]) -> None:
    """A template was rendered, with this context; of one that is streamed, to its end."""
