"""The session classes: what counts as looking and as changing, and how an empty one refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug_sessions.session import NullSession, SecureCookieSession, SessionMixin

LOOKS: dict[str, Callable[[Any], Any]] = {
    "[]": lambda s: s["a"],
    "get": lambda s: s.get("a"),
    "get of nothing": lambda s: s.get("b"),
    "in": lambda s: "a" in s,
    "len": len,
    "bool": bool,
    "iter": lambda s: next(iter(s)),
    "reversed": lambda s: list(reversed(s)),
    "keys": lambda s: s.keys(),
    "values": lambda s: s.values(),
    "items": lambda s: s.items(),
    "copy": lambda s: s.copy(),
    "==": lambda s: s == {},
    "!=": lambda s: s != {},
    "|": lambda s: s | {},
    "reversed |": lambda s: {} | s,
    "dict()": dict,
    "**": lambda s: dict(**s),
    "update from it": lambda s: {}.update(s),
    "json": json.dumps,
    "repr": repr,
    "permanent": lambda s: s.permanent,
    "pop of nothing": lambda s: s.pop("b", None),
    "setdefault of what is there": lambda s: s.setdefault("a", 2),
}

CHANGES: dict[str, Callable[[Any], Any]] = {
    "[]=": lambda s: s.__setitem__("b", 1),
    "same value": lambda s: s.__setitem__("a", 1),
    "del": lambda s: s.__delitem__("a"),
    "pop": lambda s: s.pop("a"),
    "popitem": lambda s: s.popitem(),
    "clear": lambda s: s.clear(),
    "update": lambda s: s.update(b=1),
    "setdefault": lambda s: s.setdefault("b", 1),
    "|=": lambda s: s.__ior__({"b": 1}),
    "permanent=": lambda s: setattr(s, "permanent", True),
}


def test_untouched() -> None:
    session = SecureCookieSession({"a": 1})
    assert (session.accessed, session.modified, session.new) == (False, False, False)


@pytest.mark.parametrize("name", LOOKS)
def test_looking(name: str) -> None:
    """Any access counts (GHSA-m2qf-hxjv-5gpq, GHSA-68rp-wp8r-4726)."""
    session = SecureCookieSession({"a": 1})
    LOOKS[name](session)
    assert (session.accessed, session.modified) == (True, False)


@pytest.mark.parametrize("name", CHANGES)
def test_changing(name: str) -> None:
    session = SecureCookieSession({"a": 1})
    told: list[Any] = []
    session.on_update = told.append
    CHANGES[name](session)
    assert (session.accessed, session.modified) == (True, True)
    assert told == [session]


def test_a_change_that_fails_changes_nothing() -> None:
    session = SecureCookieSession()
    for change in (lambda: session.pop("a"), lambda: session.popitem(), lambda: session.__delitem__("a")):
        with pytest.raises(KeyError):
            change()
    assert not session.modified


def test_it_is_a_dictionary() -> None:
    session = SecureCookieSession({"a": 1})
    assert isinstance(session, dict) and isinstance(session, SessionMixin)
    assert session == {"a": 1}
    assert session | {"b": 2} == {"a": 1, "b": 2}
    assert session.setdefault("c", 3) == 3
    assert session.pop("c") == 3
    assert repr(session) == "<SecureCookieSession {'a': 1}>"
    with pytest.raises(TypeError):
        hash(session)


def test_permanent_is_kept_in_the_session() -> None:
    session = SecureCookieSession()
    assert session.permanent is False
    session.permanent = True
    assert session == {"_permanent": True}
    assert session.permanent is True


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "same value"])
def test_a_null_session_refuses_changes(name: str) -> None:
    session = NullSession()
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        CHANGES[name](session)
    assert (session.modified, dict(session)) == (False, {})


@pytest.mark.parametrize("method", ["setdefault", "pop"])
def test_a_null_session_refuses_what_might_change(method: str) -> None:
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        getattr(NullSession(), method)("a", None)


def test_a_null_session_can_be_read() -> None:
    session = NullSession()
    assert (session.get("a", 5), "a" in session, len(session), session.permanent) == (5, False, 0, False)


def test_a_session_of_another_kind_is_taken_as_looked_at_and_changed() -> None:
    class Session(SessionMixin, dict):  # type: ignore[type-arg]  # as extensions write it
        pass

    session = Session()
    assert (session.accessed, session.modified) == (True, True)
