"""What plugins declare about each other, and the one order that follows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quart_plug.exceptions import PluginLoadError
from quart_plug.hooks.relations import (
    Declaration,
    Related,
    api_matches,
    conflicts_of,
    missing_requirements,
    read_declaration,
    resolve_order,
)


def related(name: str, **declared: tuple[str, ...]) -> Related:
    return Related(name, Declaration(**declared))  # type: ignore[arg-type] # only tuples are given


def test_declaration_is_read_from_the_plugin_or_its_module() -> None:
    plugin = SimpleNamespace(__quart_plug__={"requires": "rooms", "after": ["a", "b"], "name": "chat"})
    expected = Declaration(requires=("rooms",), after=("a", "b"), name="chat")
    assert read_declaration(plugin) == expected
    assert read_declaration(object(), plugin) == expected
    assert read_declaration(SimpleNamespace(__quart_plug__=expected)) is expected
    assert read_declaration(object()) == Declaration()


def test_api_may_be_declared_by_a_constant() -> None:
    assert read_declaration(SimpleNamespace(QUART_PLUG_API=1)).api == "1"


def test_everything_that_is_wrong_with_a_declaration_is_listed() -> None:
    plugin = SimpleNamespace(__quart_plug__={"require": [], "before": [1], "api": "~1"})
    with pytest.raises(PluginLoadError) as caught:
        read_declaration(plugin)
    for part in ("unknown key 'require' (did you mean 'requires'?)", "'before' has to be a list", "not '~1'"):
        assert part in str(caught.value)
    with pytest.raises(PluginLoadError, match="has to be a dictionary, not list"):
        read_declaration(SimpleNamespace(__quart_plug__=[]))


@pytest.mark.parametrize(
    ("wanted", "version", "expected"),
    [
        (None, "1.0", True),
        ("1", "1.7", True),
        ("1.0", "1.7", False),
        ("2", "1.7", False),
        (">=1,<2", "1.7", True),
        (">=1.8,<2", "1.7", False),
        (">1", "1.0", False),
        ("<=1.0.0", "1.0", True),
        ("!=1.0", "1.0", False),
        ("==1", "1.0", True),
        ("<2", "10.0", False),
    ],
)
def test_api_range(wanted: str | None, version: str, expected: bool) -> None:
    assert api_matches(wanted, version) is expected


def test_order_is_as_given_where_nothing_is_declared() -> None:
    assert resolve_order([related("c"), related("a"), related("b")]).order == ("c", "a", "b")


def test_before_after_and_requires_decide() -> None:
    plugins = [
        related("a", after=("c",)),
        related("b", requires=("d",)),
        related("c"),
        related("d"),
        related("e", before=("c", "absent")),
    ]
    assert resolve_order(plugins).order == ("d", "b", "e", "c", "a")


def test_relations_reach_what_a_plugin_provides() -> None:
    plugins = [related("a", after=("store",)), related("redis", provides=("store",))]
    assert resolve_order(plugins).order == ("redis", "a")
    assert missing_requirements(related("x", requires=("store", "mail")), plugins) == ["mail"]
    assert conflicts_of(related("x", conflicts=("store",)), plugins) == ["redis"]
    assert conflicts_of(plugins[1], [related("y", conflicts=("redis",)), plugins[1]]) == ["y"]


def test_cycle_is_printed_and_the_others_are_ordered() -> None:
    ordering = resolve_order(
        [
            related("x", after=("a",)),
            related("a", requires=("b",)),
            related("b", after=("c",)),
            related("c", after=("a",)),
        ]
    )
    assert ordering.order == ("x",)
    ((members, text),) = ordering.cycles
    assert sorted(members) == ["a", "b", "c"]
    assert text == ("a -> b -> c -> a ('a' requires 'b'; 'b' comes after 'c'; 'c' comes after 'a')")


_names = st.sampled_from("abcdef")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.lists(_names, max_size=2), st.lists(_names, max_size=2)), min_size=1, max_size=6)
)
def test_order_keeps_every_relation_or_tells_a_cycle(declared: list[Any]) -> None:
    plugins = [
        related(name, after=tuple(after), before=tuple(before))
        for name, (after, before) in zip("abcdef", declared, strict=False)
    ]
    ordering = resolve_order(plugins)
    in_cycles = {name for members, _ in ordering.cycles for name in members}
    assert set(ordering.order) | in_cycles == {plugin.name for plugin in plugins}
    assert not in_cycles & set(ordering.order)
    place = {name: index for index, name in enumerate(ordering.order)}
    for plugin in plugins:
        for other in plugin.declaration.after:
            if other != plugin.name and {plugin.name, other} <= place.keys():
                assert place[other] < place[plugin.name]
        for other in plugin.declaration.before:
            if other != plugin.name and {plugin.name, other} <= place.keys():
                assert place[plugin.name] < place[other]
