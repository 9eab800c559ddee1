"""Fills the slot `template_engine` with Jinja: what a template sees, how it is rendered and streamed.

What a template sees, the later winning: the environment's globals, the plugins' names (hook
`template_context`), the app's context processors, those of the request's blueprints from the outermost to
the innermost, and what the caller of `render_template` gave.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Template

from quart_plug.answers import wrong_answer
from quart_plug.ctx import has_app_context, has_request_context
from quart_plug.globals import app_ctx, g, request, session
from quart_plug.helpers import stream_with_context

from .environment import Environment, make_environment

if TYPE_CHECKING:
    from quart_plug import Quart

_KEPT_SOURCES = 128


class JinjaEngine:
    """The engine of one app."""

    def __init__(self, app: Quart) -> None:
        self.app = app
        self._environment: Any = None
        self._strings: dict[str, Template] = {}  # templates that were rendered from source
        self._strings_of: Any = None  # the environment that they are of

    @property
    def environment(self) -> Any:
        """The environment, made at its first use by `app.create_jinja_environment()`."""
        if self._environment is None:
            self._environment = self.app.create_jinja_environment()
        return self._environment

    def create_environment(self, app: Quart) -> Environment:
        return make_environment(app)

    # What a template sees ----------------------------------------------------------------------

    async def update_context(self, app: Quart, context: dict[str, Any]) -> None:
        """Add what plugins and context processors give, and what is current; names that are there stay."""
        ctx: Any = app_ctx._get_current_object() if has_app_context() else None  # type: ignore[attr-defined]  # a proxy
        added: dict[str, Any] = {} if ctx is None else {"g": g}
        if ctx is not None and ctx.has_request:
            added["request"] = request
            added["session"] = session
        chain = app.chain_here("template_context")
        if chain is not None:
            for names in chain(app):
                if not isinstance(names, Mapping):
                    raise wrong_answer(app.hooks, "template_context", names, "a mapping of names to values")
                added.update(names)
        processors = app.template_context_processors
        for processor in processors.get(None, ()):
            added.update(await app.ensure_async(processor)())
        connected = ctx is not None and (ctx.has_request or ctx.has_websocket)
        if connected and any(name is not None and found for name, found in processors.items()):
            for name in reversed(ctx.request_websocket.blueprints):
                for processor in processors.get(name, ()):
                    added.update(await app.ensure_async(processor)())
        for name, value in added.items():
            if name not in context:
                context[name] = value

    # Rendering ---------------------------------------------------------------------------------

    async def render(self, app: Quart, template_name_or_list: str | Sequence[str], context: dict[str, Any]) -> str:
        return await render_template(app.jinja_env.get_or_select_template(template_name_or_list), context, app)

    async def render_string(self, app: Quart, source: str, context: dict[str, Any]) -> str:
        return await render_template(self._from_source(app, source), context, app)

    async def stream(
        self, app: Quart, template_name_or_list: str | Sequence[str], context: dict[str, Any]
    ) -> AsyncIterator[str]:
        template = app.jinja_env.get_or_select_template(template_name_or_list)
        return await stream_template(app, template, context)

    async def stream_string(self, app: Quart, source: str, context: dict[str, Any]) -> AsyncIterator[str]:
        return await stream_template(app, self._from_source(app, source), context)

    def get_attribute(self, app: Quart, template_name: str, attribute: str) -> Any:
        """A macro or variable of a template; a macro is a plain function that gives text.

        Jinja has no modules in its async mode, so the template is loaded once more without it.
        """
        environment = app.jinja_env
        if environment.is_async:
            environment = environment.overlay(enable_async=False)
        return getattr(environment.get_template(template_name).module, attribute)

    def forget_templates(self) -> None:
        """Load every template anew: a plugin with folders, or with names that templates use, came or went."""
        self._strings_of = None
        cache = None if self._environment is None else self._environment.cache
        if cache is not None:
            cache.clear()

    def _from_source(self, app: Quart, source: str) -> Template:
        """The template of a source; the last ones are kept: an application's sources are mostly constants."""
        environment = app.jinja_env
        if environment is not self._strings_of:
            self._strings, self._strings_of = {}, environment
        template = self._strings.get(source)
        if template is None:
            template = environment.from_string(source)
            if len(self._strings) >= _KEPT_SOURCES:
                self._strings.clear()
            self._strings[source] = template
        return template


async def render_template(template: Template, context: dict[str, Any], app: Quart) -> str:
    """Render a template that was made from the app's environment (Quart's `_render`, which extensions use)."""
    await _prepare(app, template, context)
    if template.environment.is_async:
        text = await template.render_async(context)
    else:  # an environment that the application made itself
        text = template.render(context)
    rendered = app.chain_here("template_rendered")
    if rendered is not None:
        await rendered(app, template, context)
    return text


async def stream_template(app: Quart, template: Template, context: dict[str, Any]) -> AsyncIterator[str]:
    """Like `render_template`, piece by piece (Quart's `_stream`)."""
    await _prepare(app, template, context)

    async def generate() -> AsyncIterator[str]:
        if template.environment.is_async:
            async for piece in template.generate_async(context):
                yield piece
        else:
            for piece in template.generate(context):
                yield piece
        rendered = app.chain_here("template_rendered")
        if rendered is not None:
            await rendered(app, template, context)

    # The server takes the pieces after the view has returned: the request has to be current then, too.
    return stream_with_context(generate)() if has_request_context() else generate()


async def _prepare(app: Quart, template: Template, context: dict[str, Any]) -> None:
    updated = app.prepare_template_context(context)
    if hasattr(updated, "__await__"):  # an override may be a plain method
        await updated
    rendering = app.chain_here("template_rendering")
    if rendering is not None:
        await rendering(app, template, context)
