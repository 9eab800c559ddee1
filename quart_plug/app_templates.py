"""The app's side of templates: filters, tests, globals and context, waiting for the engine that a plugin fills in.

What is registered before the engine exists is kept here and given to its environment when it is first needed, so
that registering a filter sets no plugin up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .globals import _cv

if TYPE_CHECKING:
    from .app import Quart

T = TypeVar("T", bound=Callable[..., Any])

AUTOESCAPED = (".html", ".htm", ".xml", ".xhtml", ".svg")


class Templates:
    """Mixed into `Quart`."""

    _template_names: dict[str, dict[str, Callable[..., Any]]]

    @cached_property
    def jinja_env(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """The template engine's environment; may be assigned."""
        environment = self.plugin_slot("template_engine").environment
        for kind, functions in self._template_names.items():
            getattr(environment, kind).update(functions)
        return environment

    def create_jinja_environment(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """Make the environment; an override changes or replaces it."""
        return self.plugin_slot("template_engine").create_environment(self)

    def create_global_jinja_loader(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """The loader that looks in the app's folder, then in the blueprints'."""
        from .hooks.names import plugin_attribute

        return plugin_attribute("templates", "DispatchingJinjaLoader")(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Whether a template of this name is escaped by default; templates from strings are."""
        return filename is None or filename.endswith(AUTOESCAPED)

    def prepare_template_context(self: Quart, context: dict[str, Any]) -> Any:  # type: ignore[misc]
        """`update_template_context` as it stands, overridden in 0.22's form or 0.23's; for template engines."""
        ctx = _cv.get(None)
        plans = None if ctx is None else ctx.plans
        plans = plans or self.plans_for(None if ctx is None else ctx.kind)
        override = plans.updates_template_context
        if override is None:
            return self.plugin_slot("template_engine").update_context(self, context)
        return override(ctx, context)

    def _add_template_name(self, kind: str, function: Callable[..., Any], name: str | None) -> None:
        name = name or function.__name__
        self._template_names.setdefault(kind, {})[name] = function
        environment = self.__dict__.get("jinja_env")  # not made for nothing
        if environment is not None:
            getattr(environment, kind)[name] = function

    def _template_decorator(self, add: Callable[..., None], name: Any) -> Any:
        if callable(name):  # used as a bare decorator
            add(name)
            return name

        def decorate(function: T) -> T:
            add(function, name=name)
            return function

        return decorate

    def template_filter(self, name: str | None = None) -> Callable[[T], T]:
        """Register a template filter under its own name or `name`."""
        return self._template_decorator(self.add_template_filter, name)  # type: ignore[no-any-return]

    def template_test(self, name: str | None = None) -> Callable[[T], T]:
        """Register a template test under its own name or `name`."""
        return self._template_decorator(self.add_template_test, name)  # type: ignore[no-any-return]

    def template_global(self, name: str | None = None) -> Callable[[T], T]:
        """Register a global of the templates under its own name or `name`."""
        return self._template_decorator(self.add_template_global, name)  # type: ignore[no-any-return]

    def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        self._add_template_name("filters", f, name)

    def add_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        self._add_template_name("tests", f, name)

    def add_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        self._add_template_name("globals", f, name)
