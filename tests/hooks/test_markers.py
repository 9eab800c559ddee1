"""The markers say what the compiler and the manager need to know."""

from __future__ import annotations

from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug.hooks.markers import SPEC_ATTRIBUTE, HookInfo, hookimpl, hookspec


def test_hookspec_keeps_the_function_and_its_kind() -> None:
    @hookspec(kind="first", colour="sync", provider="json")
    def a_slot() -> None: ...

    assert getattr(a_slot, SPEC_ATTRIBUTE) == HookInfo("first", "sync", "json")


def test_hookspec_is_async_unless_it_says_otherwise() -> None:
    @hookspec(kind="notify")
    def moment() -> None: ...

    assert getattr(moment, SPEC_ATTRIBUTE).colour == "async"


def test_hookimpl_works_bare_and_with_options() -> None:
    @hookimpl
    def one() -> int:
        return 1

    @hookimpl(tryfirst=True, specname="one")
    def two() -> int:
        return 2

    assert (one(), two()) == (1, 2)
    assert two.quart_plug_impl["specname"] == "one"  # type: ignore[attr-defined] # where pluggy keeps it


@pytest.mark.parametrize("marked", [partial(print), type("Plugin", (), {}), SimpleNamespace(), "request_before"])
@pytest.mark.parametrize("mark", [hookimpl, hookimpl(tryfirst=True)], ids=["plain", "with options"])
def test_what_is_no_function_cannot_be_marked(marked: Any, mark: Any) -> None:
    """It would never be called, and nobody would say so."""
    with pytest.raises(TypeError, match=r"marks functions and methods, not .*; write a function that calls it"):
        mark(marked)


def test_a_function_in_a_cache_can_be_marked() -> None:
    assert hookimpl(cache(lambda app: None))
