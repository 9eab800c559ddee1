"""Plain data becomes typed values, strictly; everything that does not fit is said at once, with its path."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Mapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NewType, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.conversion import ConversionError, Converter, SchemaError, Text, convert
from quart_plug.faults import is_secret, path_text, show
from quart_plug.schemas import plain


class Level(Enum):
    INFO = 1
    DEBUG = 2


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1


class Shape(Enum):
    ROUND = (1, 2)
    LISTED = [1]


Name = NewType("Name", str)


@dataclass(frozen=True)
class Header:
    name: str
    value: int = 0


@dataclass
class Node:
    label: str
    children: list[Node] = field(default_factory=list)


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclass
class Square:
    kind: Literal["square"]
    side: float


def faults(schema: Any, data: Any) -> list[str]:
    with pytest.raises(ConversionError) as caught:
        convert(schema, data)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault) for fault in caught.value.faults]


def name_of(value: Any) -> str | None:
    """A value's name in a test's; None (a number) for what has another repr in each process."""
    return None if isinstance(value, (set, frozenset)) else repr(value)


# What fits ----------------------------------------------------------------------------------------------------------

FITS: list[tuple[Any, Any, Any]] = [
    (bool, True, True),
    (int, 5, 5),
    (int, Size.SMALL, 1),
    (float, 1.5, 1.5),
    (float, 2, 2.0),
    (str, "a", "a"),
    (bytes, b"a", b"a"),
    (Name, "a", "a"),
    (Path, "a/b", Path("a/b")),
    (Path, Path("a"), Path("a")),
    (timedelta, 1.5, timedelta(seconds=1.5)),
    (timedelta, timedelta(1), timedelta(1)),
    (datetime, "2030-01-02T03:04:05", datetime(2030, 1, 2, 3, 4, 5)),
    (datetime, datetime(2030, 1, 2), datetime(2030, 1, 2)),
    (date, "2030-01-02", date(2030, 1, 2)),
    (date, date(2030, 1, 2), date(2030, 1, 2)),
    (time, "03:04", time(3, 4)),
    (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
    (Decimal, "1.10", Decimal("1.10")),
    (Level, 2, Level.DEBUG),
    (Level, "DEBUG", Level.DEBUG),
    (Level, Level.INFO, Level.INFO),
    (Colour, "red", Colour.RED),
    (Colour, "BLUE", Colour.BLUE),
    (Shape, "LISTED", Shape.LISTED),
    (Shape, (1, 2), Shape.ROUND),
    (Literal["a", 1, True, None], "a", "a"),
    (Literal["a", 1, True, None], None, None),
    (int | None, None, None),
    (int | None, 5, 5),
    (int | str, "5", "5"),
    (float | int, 1, 1),
    (int | float, 1.5, 1.5),
    (list[int] | int, [1], [1]),
    (list[int] | dict[str, int], {"a": 1}, {"a": 1}),
    (Circle | Square, {"kind": "square", "side": 2}, Square("square", 2.0)),
    (list, [1, "a"], [1, "a"]),
    (list[int], (1, 2), [1, 2]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[()], [], ()),
    (set[int], [1, 1], {1}),
    (frozenset[str], {"a"}, frozenset("a")),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[int, float], {"1": 1, 2: 2.5}, {1: 1.0, 2: 2.5}),
    (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
    (Mapping[str, int], {"a": 1}, {"a": 1}),
    (Sequence[int], [1, 2], (1, 2)),
    (MutableSequence[int], [1, 2], [1, 2]),
    (AbstractSet[int], [1, 1], frozenset({1})),
    (Annotated[int, "seconds"], 5, 5),
    (Any, [object], [object]),
    (None, None, None),
    (Header, {"name": "a"}, Header("a")),
    (Header, Header("a"), Header("a")),
    (Node, {"label": "a", "children": [{"label": "b"}]}, Node("a", [Node("b")])),
]


@pytest.mark.parametrize(("schema", "data", "expected"), FITS, ids=name_of)
def test_what_fits(schema: Any, data: Any, expected: Any) -> None:
    result = convert(schema, data)
    assert (result, type(result)) == (expected, type(expected)) or isinstance(data, Size)


FROM_TEXT: list[tuple[Any, str, Any]] = [
    (bool, "yes", True), (bool, "0", False), (bool, "Off", False), (int, " 5 ", 5), (float, "1e3", 1000.0),
    (str, "5", "5"), (str, "", ""), (Path, "/a", Path("/a")), (timedelta, "1.5", timedelta(seconds=1.5)),
    (Level, "2", Level.DEBUG), (Level, "INFO", Level.INFO), (Literal[1, True, "x"], "1", 1),
    (Literal[1, True, "x"], "true", True), (int | None, "null", None), (int | None, "", None), (int | None, "5", 5),
    (str | None, "", ""), (str | None, "null", None), (str | int, "5", 5), (str | int, "five", "five"),
    (list[int], "1, 2", [1, 2]), (list[int], "[1, 2]", [1, 2]), (list[str], "", []), (set[str], "a,b", {"a", "b"}),
    (tuple[int, str], "1,a", (1, "a")), (list[bool], "yes,no", [True, False]), (dict[str, int], '{"a": 1}', {"a": 1}),
    (Header, '{"name": "a"}', Header("a")), (Any, "[1]", [1]), (Any, "word", "word"), (bytes, "é", "é".encode()),
    (int | list[int], "[1]", [1]), (datetime, "2030-01-02", datetime(2030, 1, 2)), (None, "none", None),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "text", "expected"), FROM_TEXT, ids=name_of)
def test_a_text_of_the_environment_is_parsed(schema: Any, text: str, expected: Any) -> None:
    result = convert(schema, Text(text))
    assert (result, type(result)) == (expected, type(expected))


# What does not ------------------------------------------------------------------------------------------------------

WRONG: list[tuple[Any, Any, str]] = [
    (bool, 1, "has to be true or false, not 1"),
    (bool, "true", "has to be true or false, not 'true'"),
    (bool, Text("perhaps"), "has to be true or false, not 'perhaps'"),
    (int, True, "has to be an integer, not True"),
    (int, 1.0, "has to be an integer, not 1.0"),
    (int, "1", "has to be an integer, not '1'"),
    (float, False, "has to be a number, not False"),
    (float, 10**400, "has to be a number, not 1000"),
    (str, 5, "has to be a text, not 5"),
    (str, None, "has to be a text, not None"),
    (bytes, "a", "has to be bytes, not 'a'"),
    (Path, 5, "has to be a path, not 5"),
    (timedelta, "1", "has to be a number of seconds, not '1'"),
    (timedelta, float("nan"), "has to be a number of seconds, not nan"),
    (timedelta, 1e300, "has to be a number of seconds, not 1e+300"),
    (timedelta, True, "has to be a number of seconds, not True"),
    (date, "tomorrow", "has to be a date, such as 2030-12-31, not 'tomorrow'"),
    (date, datetime(2030, 1, 2), "has to be a date, such as 2030-12-31, not datetime"),
    (UUID, "x", "has to be a UUID, not 'x'"),
    (Decimal, "x", "has to be a decimal number, not 'x'"),
    (Level, True, "has to be one of 'INFO', 'DEBUG', not True"),
    (Level, "DEBGU", "has to be one of 'INFO', 'DEBUG' (did you mean 'DEBUG'?), not 'DEBGU'"),
    (Level, [], "has to be one of 'INFO', 'DEBUG', not []"),
    (Colour, "green", "has to be one of 'red', 'blue', not 'green'"),
    (Literal["a"], "b", "has to be 'a', not 'b'"),
    (Literal[1], True, "has to be 1, not True"),
    (int | None, "5", "has to be an integer or None, not '5'"),
    (list[int] | None, ["a"], "[0]: has to be an integer, not 'a'"),
    (Circle | Square, {"kind": "square", "side": "2"}, "side: has to be a number, not '2'"),
    (list[int], {"a": 1}, "has to be a list, not a table"),
    (str, [{"pw": 1}], "has to be a text, not a list"),
    (list[int], "12", "has to be a list, not '12'"),
    (list[int], {1}, "has to be a list, not a set"),
    (set[Any], [[]], "has to be a list of values that can be kept in a set, not [[]]"),
    (tuple[int, str], [1], "has to be a list of 2 values, not [1]"),
    (dict[str, int], [1], "has to be a table, not [1]"),
    (dict[int, int], {"a": 1}, "a: has to be an integer, not 'a'"),
    (dict[str, int], {5: 1}, "[5]: has to be a text, not 5"),
    (Header, 5, "has to be a table, not 5"),
    (Header, {}, "name: is missing, it has to be a text"),
    (Header, {"name": "a", "valu": 1}, "valu: is an unknown key (did you mean 'value'?)"),
    (Header, {"name": "a", 5: 1}, "[5]: is an unknown key"),
    (Header, Text("a"), "has to be a table, not 'a'"),
    (Header, Text('{"a": "hidden"'), "has to be a table, not a text that is no JSON"),
    (list[str], Text('["hidden"'), "has to be a list, not a text that is no JSON"),
    (Node, {"label": "a", "children": [{"label": 5}]}, "children[0].label: has to be a text, not 5"),
    (None, 5, "has to be None, not 5"),
]


@pytest.mark.parametrize(("schema", "data", "message"), WRONG, ids=name_of)
def test_what_does_not_fit(schema: Any, data: Any, message: str) -> None:
    (fault,) = faults(schema, data)
    assert fault.removeprefix("it ").startswith(message)


@dataclass
class Outer:
    headers: list[Header]
    limits: dict[str, int]
    pair: tuple[int, int] = (0, 0)
    missing: str = field(kw_only=True)


def test_every_fault_is_found_at_once() -> None:
    data = {"headers": [{"name": 5}, {}, "x"], "limits": {"a": "b", "c d": "e"}, "pair": ["a", "b"], "hedaers": []}
    assert faults(Outer, data) == [
        "headers[0].name: has to be a text, not 5",
        "headers[1].name: is missing, it has to be a text",
        "headers[2]: has to be a table, not 'x'",
        "limits.a: has to be an integer, not 'b'",
        "limits['c d']: has to be an integer, not 'e'",
        "pair[0]: has to be an integer, not 'a'",
        "pair[1]: has to be an integer, not 'b'",
        "missing: is missing, it has to be a text",
        "hedaers: is an unknown key (did you mean 'headers'?)",
    ]


def test_what_is_too_long_for_a_name_is_compared_with_none() -> None:
    assert faults(Header, {"name": "a", "x" * 100: 1}) == [f"{'x' * 100}: is an unknown key"]


def test_faults_have_an_end() -> None:
    assert len(faults(list[int], ["a"] * 10_000)) == 100
    assert len(faults(dict[str, int], dict.fromkeys(map(str, range(10_000)), "a"))) == 100
    assert len(faults(Header, {"name": "a", **dict.fromkeys(map(str, range(10_000)))})) == 100


def test_data_that_is_nested_too_deeply_is_a_fault() -> None:
    data: dict[str, Any] = {"label": "a"}
    for _ in range(10_000):
        data = {"label": "a", "children": [data]}
    assert faults(Node, data) == ["it is nested too deeply"]


# Dataclasses --------------------------------------------------------------------------------------------------------


@dataclass
class Range:
    KNOWN: ClassVar[int] = 1
    low: int
    high: Final[int] = 10
    scale: InitVar[int] = 1
    made: int = field(init=False, default=0)
    password: str = ""

    def __post_init__(self, scale: int) -> None:
        self.made = scale
        if self.low > self.high:
            raise ValueError(f"low is above high (password {self.password})")


def test_what_post_init_refuses_is_a_fault() -> None:
    data = {"low": 20, "password": "hidden"}
    assert faults(Range, data) == ["it is not accepted: low is above high (password …)"]
    assert faults(list[Range], [data]) == ["[0]: is not accepted: low is above high (password …)"]


def test_arguments_of_init_only_are_taken_and_what_init_does_not_take_is_not() -> None:
    assert convert(Range, {"low": 1, "scale": 5}).made == 5
    assert faults(Range, {"low": 1, "made": 5, "KNOWN": 2}) == [
        "made: is an unknown key", "KNOWN: is an unknown key",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hint",
    [object(), complex, type, list[complex], dict[str, "Missing"]],  # type: ignore[name-defined] # noqa: F821
    ids=("object", "complex", "type", "list", "dict"),
)
def test_a_type_that_data_cannot_stand_for_is_an_error_of_the_schema(hint: Any) -> None:
    made = make_dataclass("Made", [("good", int), ("bad", hint)])
    for _ in range(2):  # what failed once is not taken for compiled
        with pytest.raises(SchemaError, match=r"Made"):
            convert(made, {})


def test_types_that_cannot_be_found_are_an_error_with_the_cure() -> None:
    class Inner:
        pass

    @dataclass
    class Local:
        inner: Inner

    with pytest.raises(SchemaError, match=r"types of .*Local cannot be found .* top level of a module"):
        convert(Local, {})


def test_what_a_class_is_compiled_to_goes_with_it_and_is_not_inherited() -> None:
    made = make_dataclass("Made", [("a", int)])
    assert convert(made, {"a": 1}).a == 1
    derived = make_dataclass("Derived", [("b", int)], bases=(made,))
    assert faults(derived, {"a": 1}) == ["b: is missing, it has to be an integer"]
    known = weakref.ref(made)
    del made, derived
    gc.collect()
    assert known() is None


@dataclass
class Parent:
    child: Child | None = None
    bad: complex = 0j


@dataclass
class Child:
    parent: Parent | None = None


def test_classes_that_hold_each_other_fail_together() -> None:
    """None of them is kept half compiled."""
    for schema in (Parent, Child, Parent):
        with pytest.raises(SchemaError, match=r"Parent\.bad is of the type complex"):
            convert(schema, {})


def test_classes_may_be_compiled_by_several_threads_at_once() -> None:
    for _ in range(20):
        made = make_dataclass("Made", [("a", int), ("b", list[Header])])
        with ThreadPoolExecutor(4) as pool:
            found = pool.map(lambda _, schema=made: convert(schema, {"a": 1, "b": [{"name": "x"}]}).b, range(8))
        assert list(found) == [[Header("x")]] * 8


def test_a_converter_may_be_kept() -> None:
    converter = Converter(list[Header])
    assert converter([{"name": "a"}]) == converter([{"name": "a"}]) == [Header("a")]


# Secrets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True), ("db_password", True), ("API_KEY", True), ("secret_key", True), ("access_token", True),
        ("credentials", True), ("keys", True), ("header", False), ("monkey", False), ("tokenizer", False),
        ("passenger", False), ("compass", False),
        *((name, True) for name in ("pin", "salt", "auth", "csrf", "jwt", "otp", "sid", "session_id", "db_pass")),
        *((name, True) for name in ("cookie", "signature", "bearer")),
    ],
)  # fmt: skip
def test_a_name_suggests_a_secret(name: str, secret: bool) -> None:
    assert is_secret(name) is secret
    assert is_secret(name, {"secret": not secret}) is not secret


def test_a_secret_is_never_shown() -> None:
    schema = make_dataclass(
        "Made",
        [
            ("token", int),
            ("tokens", list[int]),
            ("pin", int, field(metadata={"secret": True})),
            ("extra", dict[str, int]),
        ],
    )
    data = {"token": "hidden", "tokens": ["hidden"], "pin": "hidden", "extra": {"password": "hidden"}}
    found = faults(schema, data)
    assert len(found) == 4 and "hidden" not in "".join(found)
    assert found[0] == "token: has to be an integer, not a str (a secret, not shown)"
    assert show(Text("hidden"), secret=True) == "a text (a secret, not shown)"
    assert show(5, secret=True) == "an int (a secret, not shown)"


def test_what_is_shown_is_short_and_without_passwords() -> None:
    assert show("postgres://me:hidden@host/db") == "'postgres://me:…@host/db'"
    assert len(show("x" * 1000)) < 70
    assert show({"a": "x" * 100}) == "a table" and show(["x" * 100]) == "a list"

    class Unprintable:
        def __repr__(self) -> str:
            raise RuntimeError

    assert show(Unprintable()) == "a Unprintable that cannot be shown"


def test_paths() -> None:
    assert path_text(("headers", 2, "name")) == "headers[2].name"
    assert path_text(("a b", "c", 0)) == "['a b'].c[0]"
    assert path_text(()) == ""


# Whatever the data --------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
hints = st.recursive(
    st.sampled_from([bool, int, float, str, Path, timedelta, Level, Colour, Literal["a", 1], None, Header, Node, Any]),
    lambda inner: st.one_of(
        st.builds(lambda a: list[a], inner), st.builds(lambda a: dict[str, a], inner),  # type: ignore[valid-type]
        st.builds(lambda a: tuple[a, ...], inner), st.builds(lambda a, b: tuple[a, b], inner, inner),  # type: ignore[valid-type]
        st.builds(lambda a, b: Union[a, b], inner, inner),  # noqa: UP007 - the operator does not take all of them
    ),
    max_leaves=4,
)  # fmt: skip


@given(hints, anything)
def test_whatever_the_data_it_fits_or_the_fault_has_a_path_into_it(hint: Any, data: Any) -> None:
    try:
        convert(hint, data)
    except ConversionError as error:
        assert error.faults
        for fault in error.faults:
            inside = data
            for step in fault.path[: -1 if fault.missing else None]:
                inside = inside[step]


@given(hints, st.text(max_size=12))
def test_whatever_the_text_it_fits_or_is_refused(hint: Any, text: str) -> None:
    try:
        result = convert(hint, Text(text))
    except ConversionError:
        return
    assert type(result) is not Text


@dataclass
class Everything:
    flag: bool
    count: int
    ratio: float
    text: str
    path: Path
    wait: timedelta
    day: date
    level: Level
    colour: Colour
    choice: Literal["a", "b", 1]
    maybe: int | None
    either: int | str
    many: list[Header]
    pair: tuple[int, str]
    some: set[str]
    table: dict[int, float]
    header: Header


words = st.text(max_size=5)
everything = st.builds(
    Everything,
    path=words.map(Path),
    ratio=st.floats(allow_nan=False),
    wait=st.integers(-(10**9), 10**9).map(lambda seconds: timedelta(seconds=seconds)),
    table=st.dictionaries(st.integers(), st.floats(allow_nan=False)),
)


@given(everything)
def test_plain_data_converts_back(value: Everything) -> None:
    """Through JSON too, which is what a file or a websocket has."""
    data = plain(value, mask=False)
    assert convert(Everything, data) == value
    assert convert(Everything, json.loads(json.dumps(data))) == value
