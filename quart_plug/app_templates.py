"""The app's side of templates: filters, tests, globals and context, waiting for the engine that a plugin fills in.

What is registered before the engine exists is kept here and given to its environment when it is first needed, so
that registering a filter sets no plugin up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .answers import wrong_answer
from .globals import _cv

if TYPE_CHECKING:
    from .app import Quart

T = TypeVar("T", bound=Callable[..., Any])

_MISSING: Any = object()
_KINDS = {"template_filters": "filters", "template_tests": "tests", "template_globals": "globals"}

AUTOESCAPED = (".html", ".htm", ".xml", ".xhtml", ".svg")


class SettledNames:
    """The names in one environment that come from elsewhere. What somebody has put there by hand is left alone."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self._pristine = {kind: dict(getattr(environment, kind, ())) for kind in _KINDS.values()}
        self._put: dict[tuple[str, str], tuple[Any, Any]] = {}  # what is there, and what comes when nobody offers it

    def settle(self, plugins: dict[tuple[str, str], Any], own: dict[tuple[str, str], Any]) -> None:
        """Have these functions in the environment by (kind, name), the application's own before those of plugins."""
        wanted = plugins | own
        for key in dict.fromkeys((*self._put, *wanted)):
            kind, name = key
            table = getattr(self.environment, kind)
            now = table.get(name, _MISSING)
            value, before = self._put.pop(key, (self._pristine[kind].get(name, _MISSING), now))
            if now is not value:  # put there by hand
                if key not in own or value is own[key]:
                    continue
                before = now
            if key in wanted:
                table[name] = wanted[key]
                self._put[key] = (wanted[key], before)
            elif before is _MISSING:
                table.pop(name, None)
            else:
                table[name] = before


class Templates:
    """Mixed into `Quart`."""

    _template_names: dict[str, dict[str, Callable[..., Any]]]
    _settled_names: SettledNames | None = None

    @cached_property
    def jinja_env(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """The template engine's environment; may be assigned."""
        environment = self.__dict__["jinja_env"] = self.plugin_slot("template_engine").environment
        self.settle_template_names(environment, own=True)
        self.plugin_setup.footprints.made("jinja_env")
        return environment

    def settle_template_names(self: Quart, environment: Any, own: bool = False) -> None:  # type: ignore[misc]
        """Put filters, tests and globals into an environment: those of plugins, which the engine asks for when it makes
        one, and over them (`own`) the application's. Those that nobody offers any more are taken out.
        """
        settled = self._settled_names
        if settled is None or settled.environment is not environment:
            settled = self.__dict__["_settled_names"] = SettledNames(environment)
        plugins: dict[tuple[str, str], Any] = {}
        for hook, kind in _KINDS.items():
            for names in (self.plugin_hooks.call(hook) or (lambda app: ()))(self):
                if not isinstance(names, Mapping):
                    raise wrong_answer(self.plugin_hooks, hook, names, "a mapping of names to functions")
                plugins.update({(kind, name): value for name, value in names.items()})
        tables = self._template_names.items() if own else ()
        with self.plugin_setup.footprints.ignoring():
            own_names = {(kind, name): function for kind, table in tables for name, function in table.items()}
            settled.settle(plugins, own_names)

    def settle_templates(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        """Bring an environment that exists up to date with the plugins that came or went."""
        environment = self.__dict__.get("jinja_env")
        if environment is None or self._settled_names is None or self._settled_names.environment is not environment:
            return
        engine = self.plugin_slot_or_none("template_engine")
        if engine is None or engine.environment is not environment:
            del self.__dict__["jinja_env"]  # it was another engine's
            return
        self.settle_template_names(environment, own=True)
        forget = getattr(engine, "forget_templates", None)  # an optional part of the protocol
        if forget is not None:
            forget()

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
            cast("Quart", self).settle_template_names(environment, own=True)

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
