"""The hit path: it answers the common shapes, and whenever it answers it agrees with werkzeug's map."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BaseConverter, Rule, ValidationError

from quart_plug.routing import QuartMap, QuartRule, Router, slow_match


class Even(BaseConverter):
    """Refuses in `to_python` what its pattern allows."""

    regex = r"\d+"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number % 2:
            raise ValidationError
        return number


class Light(BaseConverter):
    regex = "[ab]+"
    weight = 10


class Empty(BaseConverter):
    """Also matches nothing at all."""

    regex = "[xyz]*"


class Deep(BaseConverter):
    part_isolating = False
    regex = "[^/]+(?:/[^/]+)*"
    weight = 150


class Broken(BaseConverter):
    regex = "b+"

    def to_python(self, value: str) -> str:
        raise RuntimeError("a fault of the converter")


CONVERTERS = {"even": Even, "light": Light, "empty": Empty, "deep": Deep, "broken": Broken}


def rule(text: str, **options: Any) -> QuartRule:
    return QuartRule(text, **{"endpoint": text, "methods": ["GET"], **options})


def router_for(*rules: Rule, **options: Any) -> Router:
    return Router(QuartMap(rules, converters=CONVERTERS, **options))


def answer_of(router: Router, path: str, method: str = "GET", kind: str = "request") -> Any:
    found = router.match(kind, method, path)
    return None if found is None else (found[0].endpoint, found[1])


# What must be answered ----------------------------------------------------------------------


COMMON = [
    (["/"], "/", ("/", {})),
    (["/plain"], "/plain", ("/plain", {})),
    (["/branch/"], "/branch/", ("/branch/", {})),
    (["/a/b/c.html"], "/a/b/c.html", ("/a/b/c.html", {})),
    (["/<name>"], "/joe", ("/<name>", {"name": "joe"})),
    (["/<name>/"], "/joe/", ("/<name>/", {"name": "joe"})),
    (["/<string(length=2):lang>"], "/de", ("/<string(length=2):lang>", {"lang": "de"})),
    (["/<int:x>"], "/007", ("/<int:x>", {"x": 7})),
    (["/<int(signed=True):x>"], "/-7", ("/<int(signed=True):x>", {"x": -7})),
    (["/<int(max=9):x>"], "/7", ("/<int(max=9):x>", {"x": 7})),
    (["/<float:x>"], "/1.5", ("/<float:x>", {"x": 1.5})),
    (["/<any(a, b):x>"], "/b", ("/<any(a, b):x>", {"x": "b"})),
    (["/<even:x>"], "/4", ("/<even:x>", {"x": 4})),
    (
        ["/user/<int:id>/posts/<slug>"],
        "/user/3/posts/hello",
        ("/user/<int:id>/posts/<slug>", {"id": 3, "slug": "hello"}),
    ),
    (["/<a>/<b>/<c>/<d>"], "/1/2/3/4", ("/<a>/<b>/<c>/<d>", {"a": "1", "b": "2", "c": "3", "d": "4"})),
    (["/static/<path:name>"], "/static/js/app.js", ("/static/<path:name>", {"name": "js/app.js"})),
    (["/static/<path:name>"], "/static/a//b/", ("/static/<path:name>", {"name": "a//b/"})),
    (["/<int:x>", "/<name>"], "/joe", ("/<name>", {"name": "joe"})),
    (["/<name>", "/<int:x>"], "/3", ("/<int:x>", {"x": 3})),
    (["/<name>", "/joe"], "/joe", ("/joe", {})),
    (["/<name>/edit", "/joe/view"], "/joe/edit", ("/<name>/edit", {"name": "joe"})),
    (["/<path:rest>", "/a/<int:x>"], "/a/b", ("/<path:rest>", {"rest": "a/b"})),
    (["/f/<path:rest>", "/f/<name>.<type>"], "/f/a/b", ("/f/<path:rest>", {"rest": "a/b"})),
    (["/f/<x>", "/f/<name>.<type>"], "/f/ab", ("/f/<x>", {"x": "ab"})),
]


@pytest.mark.parametrize(("rules", "path", "expected"), COMMON)
def test_common_shapes_are_answered(rules: list[str], path: str, expected: Any) -> None:
    router = router_for(*[rule(text) for text in rules])
    assert answer_of(router, path) == expected
    assert answer_of(router, path, "HEAD") == expected


def test_canonical_addresses_are_answered_without_strict_slashes() -> None:
    router = router_for(rule("/a"), rule("/b/"), rule("/c/<x>"), strict_slashes=False)
    assert [answer_of(router, path) is not None for path in ("/a", "/b/", "/c/1")] == [True] * 3


def test_each_method_finds_its_rule() -> None:
    router = router_for(rule("/<x>", endpoint="get"), rule("/<x>", endpoint="post", methods=["POST"]))
    assert answer_of(router, "/1", "POST") == ("post", {"x": "1"})
    assert answer_of(router, "/1", "GET") == ("get", {"x": "1"})


def test_a_rule_for_another_method_falls_through_to_a_less_specific_one() -> None:
    router = router_for(rule("/joe", methods=["POST"]), rule("/<name>"))
    assert answer_of(router, "/joe") == ("/<name>", {"name": "joe"})


def test_a_rule_without_methods_takes_every_method() -> None:
    router = router_for(rule("/a", methods=None), rule("/<x>/b", methods=None))
    assert answer_of(router, "/a", "PURGE") == ("/a", {})
    assert answer_of(router, "/1/b", "PURGE") == ("/<x>/b", {"x": "1"})


def test_one_path_may_have_a_request_and_a_websocket_rule() -> None:
    router = router_for(rule("/a", endpoint="page"), rule("/a", endpoint="socket", websocket=True))
    assert answer_of(router, "/a") == ("page", {})
    assert answer_of(router, "/a", kind="websocket") == ("socket", {})


def test_defaults_are_arguments_too() -> None:
    router = router_for(rule("/a", defaults={"page": 1}), rule("/b/<x>", defaults={"y": 2}))
    assert answer_of(router, "/a") == ("/a", {"page": 1})
    assert answer_of(router, "/b/1") == ("/b/<x>", {"x": "1", "y": 2})


@pytest.mark.parametrize("path", ["/plain", "/user/1"])
def test_arguments_are_a_new_dictionary_each_time(path: str) -> None:
    """`url_value_preprocessor` functions change them."""
    router = router_for(rule("/plain"), rule("/user/<id>"))
    first, second = router.match("request", "GET", path), router.match("request", "GET", path)
    assert first is not None and second is not None
    assert first[1] == second[1] and first[1] is not second[1]


# What is left to the map ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ([rule("/a/")], "/a"),  # a redirect
        ([rule("/a")], "/a/"),
        ([rule("/a")], "//a"),
        ([rule("/a")], "a"),
        ([rule("/a")], ""),
        ([rule("/a/b")], "/a//b"),
        ([rule("/<name>.<type>")], "/a.b"),
        ([rule("/<name>.<type>"), rule("/<x>")], "/a.b"),
        ([rule("/<x>"), rule("/<path:p>/edit")], "/a/edit"),
        ([rule("/<int(max=9):x>"), rule("/<name>")], "/10"),  # 404, not the next rule
        ([rule("/<even:x>")], "/3"),
        ([rule("/<broken:x>")], "/bb"),
        ([rule("/", endpoint="e", defaults={"p": 1}), rule("/<int:p>", endpoint="e")], "/1"),
        ([Rule("/old", endpoint="e", redirect_to="/new")], "/old"),
        ([rule("/new", endpoint="e"), Rule("/old", endpoint="e", alias=True)], "/old"),
        ([Rule("/hidden", endpoint="e", build_only=True)], "/hidden"),
        ([rule("/a", methods=["POST"])], "/a"),
        ([rule("/a", websocket=True)], "/a"),
        ([rule("/a", subdomain="www")], "/a"),
    ],
)
def test_the_rest_is_left_to_the_map(rules: list[Rule], path: str) -> None:
    assert answer_of(router_for(*[each.empty() if each.map else each for each in rules]), path) is None


def test_everything_is_left_to_the_map_when_hosts_are_matched() -> None:
    map = QuartMap([rule("/a", host="x")], host_matching=True)
    assert answer_of(Router(map), "/a") is None
    late = QuartMap([rule("/a")])
    router = Router(late)
    assert answer_of(router, "/a") is not None
    late.host_matching = True
    assert answer_of(router, "/a") is None


# It agrees with the map ----------------------------------------------------------------------


PIECES = [
    "a",
    "b",
    "xy",
    "1",
    "<x>",
    "<string(minlength=2):x>",
    "<int:x>",
    "<int(signed=True, max=3):x>",
    "<float:x>",
    "<any(a, b):x>",
    "<even:x>",
    "<light:x>",
    "<empty:x>",
    "<broken:x>",
    "<path:x>",
    "<deep:x>",
    "a<x>",
    "<int:x>b",
    "<x>.<light:x>",
    "<uuid:x>",
]
TEXTS = ["", "a", "b", "xy", "1", "2", "3", "-1", "1.5", "ab", "aa", "b.a", "2b", "a\nb", "٣", "%"]
UUID = "12345678-1234-1234-1234-123456789abc"


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    pieces = draw(st.lists(st.sampled_from(PIECES), max_size=4))
    text, number = "", 0
    for piece in pieces:
        while "x>" in piece:
            piece = piece.replace("x>", f"v{number}>", 1)
            number += 1
        text += draw(st.sampled_from(["/", "/", "/", "/", "//"])) + piece
    options: dict[str, Any] = {
        "endpoint": draw(st.sampled_from(["e1", "e2", "e3", "e4", "e5"])),
        "methods": draw(st.sampled_from([None, ["GET"], ["GET"], ["POST"], ["GET", "POST"]])),
        "strict_slashes": draw(st.sampled_from([None, None, False, True])),
        "merge_slashes": draw(st.sampled_from([None, None, False])),
        "subdomain": draw(st.sampled_from([None, None, None, None, "www", "<sub>"])),
        "defaults": draw(st.sampled_from([None, None, {"v0": "a"}, {"v0": 1}, {"other": 1}])),
    }
    text = (text + draw(st.sampled_from(["", "", "/"]))) or "/"
    kind = draw(st.sampled_from(["quart", "quart", "quart", "quart", "socket", "alias", "redirect", "build"]))
    if kind == "socket":
        options["methods"] = draw(st.sampled_from([None, ["GET"]]))
        return QuartRule(text, websocket=True, **options)
    if kind == "quart":
        return QuartRule(text, **options)
    extra: dict[str, tuple[str, Any]] = {
        "alias": ("alias", True),
        "redirect": ("redirect_to", "/to"),
        "build": ("build_only", True),
    }
    return Rule(text, **options, **dict([extra[kind]]))


paths = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + slash,
    st.lists(st.sampled_from([*TEXTS, UUID]), max_size=5),
    st.sampled_from(["", "", "/"]),
) | st.text("/ab1.", max_size=6)

map_options = st.fixed_dictionaries(
    {
        "strict_slashes": st.sampled_from([True, True, False]),
        "merge_slashes": st.sampled_from([True, True, False]),
        "redirect_defaults": st.sampled_from([True, True, False]),
        "default_subdomain": st.sampled_from(["", "", "", "www"]),
        "host_matching": st.sampled_from([False] * 9 + [True]),
    }
)


def by_map(map: QuartMap, path: str, method: str, websocket: bool) -> Any:
    """The map's answer: (rule, arguments), or the error's type."""
    adapter = map.bind("example.com", url_scheme="ws" if websocket else "http")
    try:
        return slow_match(adapter, path, method)
    except Exception as error:
        return type(error)


@settings(max_examples=600, deadline=None)
@given(st.lists(rules(), max_size=8), map_options, st.lists(paths, min_size=1, max_size=8))
@example([QuartRule("/<x>", endpoint="e"), QuartRule("/<any(a):y>/b", endpoint="f")], {}, ["/a/b"])
def test_an_answer_is_the_maps_answer(rules: list[Rule], options: dict[str, Any], paths: list[str]) -> None:
    """And where the router is certain that there is nothing, the map finds nothing."""
    map = QuartMap(converters=CONVERTERS, **options)
    for each in rules:
        with contextlib.suppress(Exception):  # a default that its converter refuses; other faults of the rule
            map.add(each)
    router = Router(map)
    for path in paths:
        for kind, method in (
            ("request", "GET"),
            ("request", "POST"),
            ("request", "PUT"),
            ("websocket", "GET"),
        ):
            found = router.match(kind, method, path)
            expected = by_map(map, path, method, kind == "websocket")
            if found is not None:
                assert isinstance(expected, tuple), (path, found, expected)
                assert found[0] is expected[0], (path, found, expected)
                assert found[1] == expected[1]
                assert [type(value) for value in found[1].values()] == [
                    type(value) for value in expected[1].values()
                ]
            if router.is_missing(path):
                assert expected is NotFound


simple_rules = st.lists(
    st.sampled_from(["a", "b", "1", "<x>", "<int:x>", "<any(a, b):x>", "<even:x>", "<light:x>"]), max_size=4
).map(
    lambda pieces: rule(
        "/" + "/".join(piece.replace("x>", f"v{index}>") for index, piece in enumerate(pieces)), methods=None
    )
)


@settings(max_examples=300, deadline=None)
@given(st.lists(simple_rules, max_size=10), st.lists(st.sampled_from(["a", "b", "1", "2", "c"]), max_size=4))
def test_every_hit_among_simple_rules_is_answered(rules: list[QuartRule], parts: list[str]) -> None:
    """The hit path does not leave to the map what it could do."""
    map = QuartMap([each.empty() for each in rules], converters=CONVERTERS)
    path = "/" + "/".join(parts)
    expected = by_map(map, path, "GET", False)
    found = Router(map).match("request", "GET", path)
    assert (found is not None) == isinstance(expected, tuple)


@pytest.mark.parametrize(
    ("rules", "path", "missing"),
    [
        (["/a", "/b/<int:x>"], "/c", True),
        (["/a", "/b/<int:x>"], "/b/x", True),
        (["/a", "/b/<int:x>"], "/b/1/2", True),
        (["/a"], "/a", False),
        (["/a"], "//a", False),
        (["/a/"], "/a", False),
        (["/<x>.<y>"], "/a.b", False),
        (["/<x>.<y>"], "/a.b/c", False),
        ([], "a", False),
        ([], "/", True),
    ],
)
def test_certain_misses(rules: list[str], path: str, missing: bool) -> None:
    """A path that no rule could concern is told without the map; anything less is not certain."""
    assert router_for(*[rule(text) for text in rules]).is_missing(path) is missing


def test_misses_are_not_certain_beside_rules_for_other_subdomains() -> None:
    assert router_for(rule("/a", subdomain="www")).is_missing("/b") is False


def test_an_http_error_raised_by_a_converter_is_left_to_the_map() -> None:
    class Gone(BaseConverter):
        def to_python(self, value: str) -> str:
            raise HTTPException("gone")

    map = QuartMap([rule("/<gone:x>"), rule("/a/<gone:x>"), rule("/a/<y>/c")], converters={"gone": Gone})
    router = Router(map)
    assert answer_of(router, "/1") is None
    assert answer_of(router, "/a/1") is None
