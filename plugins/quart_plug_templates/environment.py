"""Environment and Template: Jinja's, for an app.

Both differ from Jinja's in cost only: a context is made from plain dictionaries, `a.b` of a dictionary is
looked up without an error on the way, and a template's code awaits only what can be awaited (awaiting.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any

from jinja2 import Environment as BaseEnvironment
from jinja2 import Template as BaseTemplate
from jinja2.runtime import Context

from quart_plug.globals import g, request, session
from quart_plug.helpers import get_flashed_messages

from .awaiting import compile_template

if TYPE_CHECKING:
    from quart_plug import Quart

_OF_DICTIONARIES = frozenset(dir(dict))
_MISSING = object()


class Template(BaseTemplate):
    """A template of `Environment`."""

    def new_context(
        self,
        vars: dict[str, Any] | None = None,
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,
    ) -> Context:
        environment = self.environment
        if shared or locals:
            return super().new_context(vars, shared, locals)
        # `self.globals` is a ChainMap of the template's and the environment's: dear to copy.
        layers: Any = getattr(self.globals, "maps", None)
        if layers is None or len(layers) != 2:
            return super().new_context(vars, shared, locals)
        names = {**layers[1], **layers[0]} if layers[0] else layers[1]
        parent = {**names, **vars} if vars else dict(names)
        return environment.context_class(environment, parent, self.name, self.blocks, globals=names)


class Environment(BaseEnvironment):
    """Jinja's environment for an app: async, with the app's loader, and with Flask's names as globals."""

    template_class = Template

    def __init__(self, app: Quart, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        options.setdefault("enable_async", True)
        super().__init__(**options)
        self.app = app

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` in a template: the attribute, or else the item of that name."""
        if type(obj) is dict and attribute not in _OF_DICTIONARIES:
            found = obj.get(attribute, _MISSING)
            return self.undefined(obj=obj, name=attribute) if found is _MISSING else found
        return super().getattr(obj, attribute)

    def _compile(self, source: str, filename: str) -> CodeType:
        return compile_template(source, filename)


def make_environment(app: Quart) -> Environment:
    """The environment as the app's settings, its `jinja_options` and the plugins' hooks want it."""
    options = dict(app.jinja_options)
    options.setdefault("autoescape", app.select_jinja_autoescape)
    if "auto_reload" not in options:
        reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if reload is None else reload
    environment: Environment = app.jinja_environment(app, **options)
    # The names of the current connection are proxies: a template that does not use one touches nothing.
    environment.globals.update(
        config=app.config,
        g=g,
        get_flashed_messages=get_flashed_messages,
        request=request,
        session=session,
        url_for=app.url_for,
    )
    environment.policies["json.dumps_function"] = lambda *args, **kwargs: app.json.dumps(*args, **kwargs)
    app.settle_template_names(environment)
    return environment
