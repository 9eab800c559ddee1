"""The plugin `templates`: Jinja behind `render_template` and `app.jinja_env`.

Light to import: Jinja is imported when the first template or environment is asked for.

    environment.py  Environment and Template: Jinja's, for an app
    awaiting.py     the code of a template awaits only what can be awaited
    loading.py      where templates are looked for
    engine.py       fills the slot: contexts, rendering, streaming

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import TemplateEngine

_HOME = {"DispatchingJinjaLoader": "loading", "Environment": "environment", "JinjaEngine": "engine"}


@hookimpl
def configuration_defaults(app: Quart) -> dict[str, Any]:
    return {"EXPLAIN_TEMPLATE_LOADING": False, "TEMPLATES_AUTO_RELOAD": None}


@hookimpl
def template_engine(app: Quart) -> TemplateEngine:
    from .engine import JinjaEngine

    return JinjaEngine(app)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
