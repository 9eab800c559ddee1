"""Lists and dictionaries that tell of changes: each operation tells once it has happened, and reading tells nothing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.tables import ObservedDict, ObservedList, error_handlers, function_lists

LIST_CHANGES = {
    "append": lambda items: items.append(9),
    "extend": lambda items: items.extend([8, 9]),
    "insert": lambda items: items.insert(0, 9),
    "remove": lambda items: items.remove(2),
    "pop": lambda items: items.pop(),
    "clear": lambda items: items.clear(),
    "sort": lambda items: items.sort(reverse=True),
    "reverse": lambda items: items.reverse(),
    "item": lambda items: items.__setitem__(0, 9),
    "slice": lambda items: items.__setitem__(slice(None), [9]),
    "delete": lambda items: items.__delitem__(0),
    "iadd": lambda items: items.__iadd__([9]),
    "imul": lambda items: items.__imul__(2),
}
DICT_CHANGES = {
    "item": lambda table: table.__setitem__("a", 9),
    "delete": lambda table: table.__delitem__("a"),
    "pop": lambda table: table.pop("a"),
    "popitem": lambda table: table.popitem(),
    "clear": lambda table: table.clear(),
    "update": lambda table: table.update(a=9),
    "ior": lambda table: table.__ior__({"z": 9}),
    "setdefault": lambda table: table.setdefault("z", 9),
}


@pytest.mark.parametrize("change", LIST_CHANGES.values(), ids=LIST_CHANGES)
def test_lists_tell(change: Any) -> None:
    told: list[Any] = []
    items = ObservedList([3, 1, 2], changed=lambda: told.append(list(items)))
    plain = [3, 1, 2]
    change(items)
    change(plain)
    assert items == plain
    assert told == [plain]


@pytest.mark.parametrize("change", DICT_CHANGES.values(), ids=DICT_CHANGES)
def test_dictionaries_tell(change: Any) -> None:
    told: list[Any] = []
    table = ObservedDict(changed=lambda: told.append(dict(table)))
    table.update(a=1, b=2)
    told.clear()
    plain = {"a": 1, "b": 2}
    change(table)
    change(plain)
    assert table == plain
    assert told == [plain]


def test_reading_tells_nothing() -> None:
    told: list[Any] = []
    table = function_lists(lambda: told.append(1))
    assert table[None] == []
    assert table.get("x") is None
    assert "x" not in table
    assert list(table.items()) == [(None, [])]
    assert told == []


def test_a_failed_change_leaves_everything() -> None:
    items = ObservedList([1], changed=lambda: None)
    with pytest.raises(ValueError, match="not in list"):
        items.remove(2)
    assert items == [1]


def test_what_is_put_in_is_observed() -> None:
    told: list[Any] = []
    table = function_lists(lambda: told.append(1))
    table["part"] = [1]
    table["part"].append(2)
    table.update({None: (3,)})
    table[None].append(4)
    table.setdefault("other", []).append(5)
    assert table == {"part": [1, 2], None: [3, 4], "other": [5]}
    assert len(told) >= 6


def test_error_handlers_are_observed_to_the_bottom() -> None:
    told: list[Any] = []
    table = error_handlers(lambda: told.append(1))
    table[None][404][LookupError] = "a"
    table["part"] = {None: {KeyError: "b"}}
    count = len(told)
    table["part"][None][ValueError] = "c"
    table["part"][500] = {OSError: "d"}
    table["part"][500][OSError] = "e"
    assert len(told) >= count + 3
    assert table["part"] == {None: {KeyError: "b", ValueError: "c"}, 500: {OSError: "e"}}


def test_a_dictionary_without_default_misses_keys() -> None:
    table = ObservedDict(changed=lambda: None)
    with pytest.raises(KeyError):
        table["a"]
    assert "a" not in table


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_plain(duplicate: Any) -> None:
    """A copy is the content, and tells nobody."""
    told: list[Any] = []
    items = ObservedList([1], changed=lambda: told.append(1))
    assert type(duplicate(items)) is list
    duplicate(items).append(2)
    table = function_lists(lambda: told.append(1))
    table[None].append(1)
    told.clear()
    duplicate(table)["x"] = []
    assert told == []


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers()),
        st.tuples(st.just("extend"), st.lists(st.integers())),
        st.tuples(st.just("insert"), st.integers(-3, 3), st.integers()),
        st.tuples(st.just("reverse")),
        st.tuples(st.just("clear")),
    )
)


@given(OPERATIONS)
def test_any_sequence_of_changes(operations: list[Any]) -> None:
    """Is what it would be on a plain list, and every change is told."""
    told: list[int] = []
    items, plain = ObservedList(changed=lambda: told.append(len(items))), []
    for name, *arguments in operations:
        getattr(items, name)(*arguments)
        getattr(plain, name)(*arguments)
        assert told[-1] == len(plain)
    assert items == plain
    assert len(told) == len(operations)
