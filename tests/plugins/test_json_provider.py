"""`DefaultJSONProvider`: what it writes and reads; its attributes count from the moment they are set."""

from __future__ import annotations

import io
import json
from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.wrappers import Response

from quart_plug.hooks import PluginManager, hookimpl, specs
from quart_plug_json.provider import DefaultJSONProvider, JSONProvider


class App:
    """As much of an application as a provider knows."""

    response_class = Response
    debug = False

    def __init__(self) -> None:
        self.plugin_hooks = PluginManager()
        self.plugin_hooks.add_hookspecs(specs)
        self.changes = 0

    def plans_changed(self) -> None:
        self.changes += 1


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def provider(app: App) -> DefaultJSONProvider:
    return DefaultJSONProvider(app)  # type: ignore[arg-type]


@pytest.fixture
def provider_class() -> Iterator[type[DefaultJSONProvider]]:
    class Provider(DefaultJSONProvider):
        pass

    yield Provider


def encode(provider: DefaultJSONProvider, obj: Any) -> bytes:
    encoder = provider.encoder()
    assert encoder is not None
    return encoder[0](obj)


@dataclass
class Point:
    x: int
    seen: list[Any] = field(default_factory=list)


class Page:
    def __html__(self) -> str:
        return "<p>"


CASES = [
    (datetime(2024, 1, 2, 3, 4, 5), '"Tue, 02 Jan 2024 03:04:05 GMT"'),
    (datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), '"Tue, 02 Jan 2024 01:04:05 GMT"'),
    (date(2024, 1, 2), '"Tue, 02 Jan 2024 00:00:00 GMT"'),
    (Decimal("1.10"), '"1.10"'),
    (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
    (Point(1, [UUID(int=1)]), '{"seen": ["00000000-0000-0000-0000-000000000001"], "x": 1}'),
    (Page(), '"<p>"'),
    (Markup("<b>"), '"<b>"'),
    ({"b": 1, "a": "é"}, '{"a": "\\u00e9", "b": 1}'),
    ([1, 2.5, None, True], "[1, 2.5, null, true]"),
    ("text", '"text"'),
    (float("inf"), "Infinity"),
]


@pytest.mark.parametrize(("obj", "text"), CASES, ids=[repr(type(obj).__name__) for obj, _ in CASES])
def test_dumps(provider: DefaultJSONProvider, obj: Any, text: str) -> None:
    assert provider.dumps(obj) == text


def test_an_unknown_type_is_named(provider: DefaultJSONProvider) -> None:
    with pytest.raises(TypeError, match="type set is not JSON serializable"):
        provider.dumps({"a": {1}})
    with pytest.raises(TypeError, match="type type is not JSON serializable"):
        provider.dumps(Point)


def test_dumps_takes_the_options_of_the_standard_library(provider: DefaultJSONProvider) -> None:
    assert provider.dumps({"b": date(2024, 1, 2), "a": 1}, sort_keys=False, default=str) == (
        '{"b": "2024-01-02", "a": 1}'
    )
    assert provider.dumps([1], indent=1) == "[\n 1\n]"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(value=values, ensure_ascii=st.booleans(), sort_keys=st.booleans())
def test_dumps_is_that_of_the_standard_library(value: Any, ensure_ascii: bool, sort_keys: bool) -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    provider.ensure_ascii = ensure_ascii
    provider.sort_keys = sort_keys
    assert provider.dumps(value) == json.dumps(value, ensure_ascii=ensure_ascii, sort_keys=sort_keys)


@given(value=values)
def test_loads_is_that_of_the_standard_library(value: Any) -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    text = json.dumps(value)
    for form in (text, text.encode(), f" \n{text}\t", text.encode("utf-16"), text.encode("utf-32-le")):
        assert repr(provider.loads(form)) == repr(json.loads(text))


def test_circular_references_and_deep_nesting(provider: DefaultJSONProvider) -> None:
    circular: list[Any] = []
    circular.append({"again": circular})
    for write in (provider.dumps, lambda obj: encode(provider, obj)):
        with pytest.raises(ValueError, match="Circular reference"):
            write(circular)
    assert provider.dumps([circular[0]["again"][:0]]) == "[[]]"


@pytest.mark.parametrize("text", ["[" * 200_000, b"[" * 200_000, '{"a":' * 200_000], ids=["str", "bytes", "object"])
def test_loads_of_deep_nesting_is_a_value_error(provider: DefaultJSONProvider, text: str | bytes) -> None:
    with pytest.raises(ValueError):
        provider.loads(text)


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "{'a':1}", "1 2", "9" * 5000, b"\xff\xfe\xfd", b'"\xe9"'])
def test_loads_of_what_is_no_json_is_a_value_error(provider: DefaultJSONProvider, text: str | bytes) -> None:
    with pytest.raises(ValueError):
        provider.loads(text)


def test_loads_takes_the_options_of_the_standard_library(provider: DefaultJSONProvider) -> None:
    assert provider.loads("[1.5]", parse_float=Decimal) == [Decimal("1.5")]


def test_dump_and_load(provider: DefaultJSONProvider) -> None:
    file = io.StringIO()
    provider.dump({"a": 1}, file, indent=None)
    file.seek(0)
    assert provider.load(file) == {"a": 1}
    assert provider.load(io.BytesIO(b"[1]")) == [1]


RESPONSES: list[tuple[tuple[Any, ...], dict[str, Any], bytes]] = [
    ((), {}, b"null\n"),
    ((None,), {}, b"null\n"),
    ((1,), {}, b"1\n"),
    ((1, 2), {}, b"[1,2]\n"),
    ((), {"b": 1, "a": 2}, b'{"a":2,"b":1}\n'),
    (({"x": 1},), {}, b'{"x":1}\n'),
]


@pytest.mark.parametrize(("args", "kwargs", "body"), RESPONSES)
def test_response(provider: DefaultJSONProvider, args: Any, kwargs: Any, body: bytes) -> None:
    response: Any = provider.response(*args, **kwargs)
    assert (response.get_data(), response.content_type) == (body, "application/json")


def test_response_takes_one_kind_of_arguments(provider: DefaultJSONProvider) -> None:
    with pytest.raises(TypeError, match="positional or named"):
        provider.response(1, a=2)


def body_of(provider: DefaultJSONProvider, obj: Any) -> bytes:
    """The body, which both ways to a reply must agree on."""
    body: bytes = provider.response(obj).get_data()  # type: ignore[assignment]  # Werkzeug's response
    assert encode(provider, obj) == body
    return body


def test_debug_mode_and_compact_decide_on_indentation(app: App, provider: DefaultJSONProvider) -> None:
    compact, indented = b'{"a":[1]}\n', b'{\n  "a": [\n    1\n  ]\n}\n'
    assert body_of(provider, {"a": [1]}) == compact
    app.debug = True
    assert body_of(provider, {"a": [1]}) == indented
    provider.compact = True
    assert body_of(provider, {"a": [1]}) == compact
    app.debug = False
    provider.compact = False
    assert body_of(provider, {"a": [1]}) == indented


ATTRIBUTES: list[tuple[str, Any, bytes]] = [
    ("sort_keys", False, b'{"b":"\\u00e9","a":"Tue, 02 Jan 2024 00:00:00 GMT"}\n'),
    ("ensure_ascii", False, '{"a":"Tue, 02 Jan 2024 00:00:00 GMT","b":"é"}\n'.encode()),
    ("default", staticmethod(str), b'{"a":"2024-01-02","b":"\\u00e9"}\n'),
]


@pytest.mark.parametrize(("name", "value", "body"), ATTRIBUTES, ids=[name for name, _, _ in ATTRIBUTES])
def test_an_attribute_set_on_the_instance_counts_at_once(
    app: App, provider: DefaultJSONProvider, name: str, value: Any, body: bytes
) -> None:
    obj = {"b": "é", "a": date(2024, 1, 2)}
    before = body_of(provider, obj), provider.dumps(obj)
    changes = app.changes
    setattr(provider, name, value.__func__ if isinstance(value, staticmethod) else value)
    assert app.changes > changes
    assert body_of(provider, obj) == body
    assert provider.dumps(obj) != before[1]
    delattr(provider, name)
    assert (body_of(provider, obj), provider.dumps(obj)) == before


@pytest.mark.parametrize(("name", "value", "body"), ATTRIBUTES, ids=[name for name, _, _ in ATTRIBUTES])
def test_an_attribute_set_on_the_class_counts_at_once(
    app: App, provider_class: type[DefaultJSONProvider], name: str, value: Any, body: bytes
) -> None:
    provider = provider_class(app)  # type: ignore[arg-type]
    obj = {"b": "é", "a": date(2024, 1, 2)}
    before = body_of(provider, obj)
    generation = app.plugin_hooks.generation
    setattr(provider_class, name, value)
    assert app.plugin_hooks.generation > generation
    assert body_of(provider, obj) == body
    delattr(provider_class, name)
    assert body_of(provider, obj) == before


def test_mimetype(provider: DefaultJSONProvider) -> None:
    provider.mimetype = "application/vnd.api+json"
    assert provider.response(1).content_type == "application/vnd.api+json"
    encoder = provider.encoder()
    assert encoder is not None and encoder[1] == "application/vnd.api+json"


def test_a_subclass_may_write_default_as_a_method(app: App) -> None:
    class Provider(DefaultJSONProvider):
        def default(self, o: Any) -> Any:
            return sorted(o) if isinstance(o, set) else DefaultJSONProvider.default(o)

    provider = Provider(app)  # type: ignore[arg-type]
    assert body_of(provider, [{2, 1}, UUID(int=0)]) == b'[[1,2],"00000000-0000-0000-0000-000000000000"]\n'


def test_what_changes_the_response_leaves_no_encoder(app: App, provider: DefaultJSONProvider) -> None:
    class Dumps(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return "dumped " + super().dumps(obj, **kwargs)

    class Responds(DefaultJSONProvider):
        def response(self, *args: Any, **kwargs: Any) -> Any:
            return super().response({"data": args[0]})

    assert Dumps(app).encoder() is None  # type: ignore[arg-type]
    assert Responds(app).encoder() is None  # type: ignore[arg-type]
    dumped: Any = Dumps(app).response({"a": [1]})  # type: ignore[arg-type]
    assert dumped.get_data() == b'dumped {"a":[1]}\n'
    app.debug = True
    dumped = Dumps(app).response([1])  # type: ignore[arg-type]
    assert dumped.get_data() == b"dumped [\n  1\n]\n"
    provider.dumps = lambda obj, **kwargs: "x"  # type: ignore[method-assign]
    assert provider.encoder() is None


def test_a_method_assigned_on_the_class_leaves_no_encoder(
    app: App, monkeypatch: pytest.MonkeyPatch, provider: DefaultJSONProvider
) -> None:
    generation = app.plugin_hooks.generation
    monkeypatch.setattr(DefaultJSONProvider, "dumps", lambda self, obj, **kwargs: "patched")
    assert provider.encoder() is None
    assert app.plugin_hooks.generation > generation


def test_plugins_are_asked_before_default(app: App, provider: DefaultJSONProvider) -> None:
    class ISODates:
        @hookimpl
        def json_default(self, app: Any, obj: Any) -> Any:
            assert app is expected
            return obj.isoformat() if isinstance(obj, date) else None

    expected = app
    assert provider.dumps(date(2024, 1, 2)) == '"Tue, 02 Jan 2024 00:00:00 GMT"'
    name = app.plugin_hooks.register(ISODates(), "iso_dates")
    obj = [date(2024, 1, 2), UUID(int=0)]
    text = '["2024-01-02","00000000-0000-0000-0000-000000000000"]'
    assert body_of(provider, obj) == f"{text}\n".encode()
    assert provider.dumps(obj, separators=(",", ":")) == text
    assert provider.dumps(date(2024, 1, 2)) == '"2024-01-02"'
    app.plugin_hooks.unregister(name)
    assert provider.dumps(date(2024, 1, 2)) == '"Tue, 02 Jan 2024 00:00:00 GMT"'


def test_the_base_class_needs_dumps_and_loads(app: App) -> None:
    class Reversing(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return json.dumps(obj)[::-1]

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return json.loads(s[::-1])

    provider = Reversing(app)  # type: ignore[arg-type]
    file = io.StringIO()
    provider.dump([1, 2], file)
    file.seek(0)
    assert provider.load(file) == [1, 2]
    response: Any = provider.response({"a": 1})
    assert (response.get_data(), response.content_type) == (b'}1 :"a"{', "application/json")
    bare = JSONProvider(app)  # type: ignore[arg-type]
    for call in (bare.dumps, bare.loads):
        with pytest.raises(NotImplementedError, match="JSONProvider"):
            call("1")


def test_a_provider_can_be_mixed_with_an_abstract_class(app: App) -> None:
    class Mixin(ABC):  # noqa: B024 - only its metaclass matters
        extra = 1

    class Provider(Mixin, DefaultJSONProvider):
        def __init__(self, app: Any) -> None:
            self.extra = 2  # before the constructor of the base
            super().__init__(app)

    assert Provider(app).dumps([1]) == "[1]"


def test_a_provider_does_not_keep_its_app_alive() -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    provider.dumps([1])
    del app
    assert provider._app_reference() is None
