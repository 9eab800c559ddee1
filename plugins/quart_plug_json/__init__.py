"""The plugin `json`: JSON by the standard library, as Flask writes it.

Light to import: the provider is imported when first used. Other modules reach the names below
through `quart_plug.json.provider`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import JSONProvider

_PLACES = {
    "DefaultJSONProvider": "provider",
    "JSONProvider": "provider",
}


@hookimpl
def json_provider(app: Quart) -> JSONProvider:
    from .provider import DefaultJSONProvider

    return DefaultJSONProvider(app)


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{place}"), name)
