"""`render_template` and its relatives: thin functions over the slot `template_engine`.

The plugin `templates` (Jinja) fills the slot; another engine fills it as well. Names that are classes of
that plugin or of Jinja are found when first asked for. Must not know: Jinja.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from .globals import _NO_APP, _cv
from .hooks.names import lazy_names, plugin_attribute

if TYPE_CHECKING:
    from .app import Quart
    from .typing import TemplateEngine

__all__ = ["render_template", "render_template_string", "stream_template", "stream_template_string"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BaseEnvironment": "templates:environment.BaseEnvironment",
        "DispatchingJinjaLoader": "templates:loading.DispatchingJinjaLoader",
        "Environment": "templates:environment.Environment",
        "Template": "templates:environment.BaseTemplate",
        "_render": "templates:engine.render_template",
        "_stream": "templates:engine.stream_template",
        "app_ctx": ".globals",
        "before_render_template": ".signals",
        "current_app": ".globals",
        "has_app_context": ".ctx",
        "has_request_context": ".ctx",
        "request_ctx": ".globals",
        "stream_with_context": ".helpers",
        "template_rendered": ".signals",
    },
)


async def render_template(template_name_or_list: str | Sequence[str], **context: Any) -> str:
    """Render a template with the given names, by its name or by the first of several names that exists.

    Raises the engine's error when there is none (Jinja: `TemplateNotFound`), and PluginNotEnabled without
    an engine.
    """
    app, engine = _current()
    return await engine.render(app, template_name_or_list, context)


async def render_template_string(source: str, **context: Any) -> str:
    """Render a template's source with the given names. Never make the source from what a user sent."""
    app, engine = _current()
    return await engine.render_string(app, source, context)


async def stream_template(template_name_or_list: str | Sequence[str], **context: Any) -> AsyncIterator[str]:
    """Like `render_template`, piece by piece; for a view to return: `return await stream_template("a.html")`.

    The request stays current while the pieces are made.
    """
    app, engine = _current()
    return await engine.stream(app, template_name_or_list, context)


async def stream_template_string(source: str, **context: Any) -> AsyncIterator[str]:
    """Like `render_template_string`, piece by piece; see `stream_template`."""
    app, engine = _current()
    return await engine.stream_string(app, source, context)


def folder_loader(folder: str) -> Any:
    """The engine's loader of one template folder (an absolute path)."""
    return plugin_attribute("templates", "loading.folder_loader")(folder)


def _current() -> tuple[Quart, TemplateEngine]:
    ctx = _cv.get(None)
    if ctx is None:
        raise RuntimeError(_NO_APP)
    app = ctx.app
    return app, app.plugin_slot("template_engine")
