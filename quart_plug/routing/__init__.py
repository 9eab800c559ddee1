"""Routing: werkzeug's rules and map, and a compiled hit path for the common case.

`QuartMap` is the truth: it holds every rule and answers whatever may be asked. `Router` is made from it and
answers only hits, and only those of which it is certain; `None` from it means "ask the map" (`slow_match`).

    map.py      QuartRule, QuartMap: werkzeug's, with websockets, notice of changes, and rules that wait for a
                converter
    pattern.py  a rule's text -> the steps a path takes through it
    router.py   the steps of all rules -> dictionaries and a trie

Knows no app and no context. Of werkzeug only the public API is used.
"""

from __future__ import annotations

from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from .map import QuartMap, QuartRule, slow_match
from .router import Router

__all__ = [
    "BaseConverter",
    "Map",
    "MapAdapter",
    "QuartMap",
    "QuartRule",
    "Router",
    "Rule",
    "slow_match",
]
