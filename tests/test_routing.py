"""The map's own additions: websockets, notice of changes, rules that wait, adapters for requests."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, RequestRedirect, Rule, Submount, WebsocketMismatch

from quart_plug.routing import QuartMap, QuartRule, Router, slow_match


class Upper(BaseConverter):
    regex = "[A-Z]+"


def rule(text: str, **options: Any) -> QuartRule:
    return QuartRule(text, **{"endpoint": text, "methods": ["GET"], **options})


def request(**values: Any) -> Any:
    defaults = {"scheme": "http", "host": "example.com", "root_path": "", "method": "GET", "path": "/"}
    return SimpleNamespace(**{**defaults, "query_string": b"", **values})


# Rules ----------------------------------------------------------------------


def test_a_rule_keeps_its_options_when_a_factory_copies_it() -> None:
    """`Submount` and its relatives copy rules: nothing that Quart added may be lost."""
    original = rule("/x", websocket=True, merge_slashes=False, provide_automatic_options=True)
    original.place = "app.py:3"
    (copy,) = QuartMap([Submount("/at", [original])]).iter_rules()
    assert isinstance(copy, QuartRule)
    assert (copy.rule, copy.websocket, copy.merge_slashes) == ("/at/x", True, False)
    assert (copy.provide_automatic_options, copy.place) == (True, "app.py:3")


def test_a_websocket_rule_matches_websockets_only() -> None:
    map = QuartMap([rule("/ws", websocket=True)])
    assert slow_match(map.bind("x", url_scheme="ws"), "/ws")[0].endpoint == "/ws"
    with pytest.raises(WebsocketMismatch):
        slow_match(map.bind("x"), "/ws")


# Notice of changes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda map: map.add(rule("/new")),
        lambda map: map.converters.__setitem__("upper", Upper),
        lambda map: map.converters.update(upper=Upper),
        lambda map: map.converters.setdefault("upper", Upper),
        lambda map: map.converters.pop("int"),
        lambda map: map.converters.popitem(),
        lambda map: map.converters.clear(),
        lambda map: map.converters.__delitem__("int"),
        lambda map: map.converters.__ior__({"upper": Upper}),
        lambda map: setattr(map, "converters", {"upper": Upper}),
        lambda map: setattr(map, "host_matching", True),
        lambda map: setattr(map, "redirect_defaults", False),
    ],
)
def test_each_change_is_told(change: Any) -> None:
    map, told = QuartMap(), []
    map.on_change = lambda: told.append(1)
    change(map)
    assert told


def test_assigned_converters_are_watched_too() -> None:
    map, told = QuartMap(), []
    map.converters = {"upper": Upper}
    map.on_change = lambda: told.append(1)
    map.converters["other"] = Upper
    assert told == [1]


def test_a_rule_added_after_the_first_match_is_found() -> None:
    map = QuartMap([rule("/a")])
    router = Router(map)
    assert router.match("request", "GET", "/b/1") is None
    map.add(rule("/b/<int:x>"))
    found = router.match("request", "GET", "/b/1")
    assert found is not None and found[1] == {"x": 1}


# Rules that wait for a converter ----------------------------------------------------------------------


def waiting_map() -> QuartMap:
    map = QuartMap()
    map.defer_unknown = True
    first = rule("/x/<uper:name>")
    first.place = "app.py:12"
    map.add(first)
    return map


def test_an_unknown_converter_is_refused_at_once_by_default() -> None:
    with pytest.raises(LookupError, match="'/x/<uper:name>' uses the URL converter 'uper'"):
        QuartMap().add(rule("/x/<uper:name>"))


def test_a_rule_waits_until_its_converter_exists() -> None:
    map = waiting_map()
    assert len(map.pending) == 1
    map.converters["uper"] = Upper
    map.bind_pending()
    assert map.pending == []
    assert slow_match(map.bind("x"), "/x/ABC")[1] == {"name": "ABC"}


def test_rules_added_later_wait_behind_it_so_that_the_order_stays() -> None:
    """Of two rules that match the same paths the first one added wins, waiting or not."""
    map = waiting_map()
    map.add(rule("/x/<any(ABC):other>"))
    map.add(rule("/plain"))
    map.converters["uper"] = Upper
    map.defer_unknown = False
    assert [each.endpoint for each in map.iter_rules()] == ["/x/<uper:name>", "/x/<any(ABC):other>", "/plain"]
    assert slow_match(map.bind("x"), "/x/ABC")[0].endpoint == "/x/<uper:name>"
    found = Router(map).match("request", "GET", "/x/ABC")
    assert found is not None and found[0].endpoint == "/x/<uper:name>"


def test_a_converter_that_stays_unknown_is_named_with_its_rule_and_place() -> None:
    map = waiting_map()
    map.converters["upper"] = Upper
    with pytest.raises(LookupError) as caught:
        map.bind_pending()
    message = str(caught.value)
    for part in ("'/x/<uper:name>'", "app.py:12", "'uper'", "did you mean 'upper'?", "any, default, float"):
        assert part in message
    assert len(map.pending) == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda map: list(map.iter_rules()),
        lambda map: map.is_endpoint_expecting("/x/<uper:name>", "name"),
        lambda map: map.bind("x").match("/x/ABC"),
        lambda map: map.bind("x").build("/x/<uper:name>", {"name": "ABC"}),
        lambda map: list(map.bind("x").allowed_methods("/x/ABC")),
        lambda map: Router(map).match("request", "GET", "/x/ABC"),
        repr,
    ],
)
def test_reading_the_map_first_asks_for_set_up(read: Any) -> None:
    map = waiting_map()

    def set_up() -> None:
        map.converters["uper"] = Upper
        map.defer_unknown = False
        map.bind_pending()

    map.need_setup = set_up
    assert read(map)
    assert map.pending == []


def test_reading_during_set_up_does_not_demand_what_is_still_to_come() -> None:
    map = waiting_map()
    map.need_setup = lambda: None  # set-up is under way, and calls nothing again
    assert list(map.iter_rules()) == []
    assert len(map.pending) == 1


def test_a_rule_that_finds_its_own_converters_need_not_wait() -> None:
    class OwnRule(QuartRule):
        def get_converter(self, variable_name: str, converter_name: str, args: Any, kwargs: Any) -> Any:
            return super().get_converter(variable_name, "string", args, kwargs)

    map = QuartMap([OwnRule("/<whatever:x>", endpoint="e")])
    assert slow_match(map.bind("x"), "/abc")[1] == {"x": "abc"}


# Adapters ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "host", "server_name", "expected"),
    [
        ("http", "Example.com:80", None, ("example.com", "")),
        ("https", "example.com:443", None, ("example.com", "")),
        ("http", "example.com:443", None, ("example.com:443", "")),
        ("http", "a.example.com", "example.com", ("example.com", "a")),
        ("ws", "a.b.example.com:80", "example.com:80", ("example.com", "a.b")),
        ("wss", "example.com", "example.com", ("example.com", "")),
    ],
)
def test_host_and_subdomain_of_a_request(
    scheme: str, host: str, server_name: str | None, expected: tuple[str, str]
) -> None:
    adapter = QuartMap().bind_to_request(request(scheme=scheme, host=host), None, server_name)
    assert (adapter.server_name, adapter.subdomain) == expected


def test_a_host_outside_the_server_name_is_warned_of_and_matches_nothing() -> None:
    map = QuartMap([rule("/")])
    with pytest.warns(UserWarning, match="does not belong to the configured server name 'example.com'"):
        adapter = map.bind_to_request(request(host="badexample.com"), None, "example.com")
    with pytest.raises(NotFound):
        slow_match(adapter)


def test_an_adapter_carries_path_method_and_query() -> None:
    asked = request(path="/a", method="POST", query_string=b"x=1", root_path="/root", scheme="ws")
    adapter = QuartMap([rule("/a/", websocket=True, methods=None)]).bind_to_request(asked, "", None)
    with pytest.raises(RequestRedirect) as caught:
        slow_match(adapter)
    assert caught.value.new_url == "ws://example.com/root/a/?x=1"


# The slow way ----------------------------------------------------------------------


def test_the_slow_way_gives_the_rule_and_new_arguments() -> None:
    adapter = QuartMap([rule("/<int:x>", defaults={"y": 2})]).bind("x")
    found, arguments = slow_match(adapter, "/1", "GET")
    assert (found.endpoint, arguments) == ("/<int:x>", {"x": 1, "y": 2})


def test_the_slow_way_raises_for_a_wrong_method() -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        slow_match(QuartMap([rule("/")]).bind("x"), "/", "POST")
    assert sorted(caught.value.valid_methods or ()) == ["GET", "HEAD"]


class Reversed(BaseConverter):
    def to_python(self, value: str) -> int:
        return int(value[::-1])


@pytest.mark.parametrize("converter", ["int", "reversed"])
def test_a_number_of_too_many_digits_is_not_found(converter: str) -> None:
    """Python refuses to read it (CVE-2020-10735), which must not become an error of the server."""
    map = QuartMap([rule(f"/<{converter}:x>")], converters={"reversed": Reversed})
    path = "/" + "9" * 5000
    assert Router(map).match("request", "GET", path) is None
    with pytest.raises(NotFound):
        slow_match(map.bind("x"), path)


def test_a_plain_werkzeug_rule_may_be_added() -> None:
    map = QuartMap([Rule("/plain", endpoint="a", methods=["GET"]), Rule("/<x>", endpoint="b")])
    router = Router(map)
    found = router.match("request", "GET", "/plain")
    assert found is not None and found[0].endpoint == "a"
    assert router.match("request", "GET", "/other") is None
    assert slow_match(map.bind("x"), "/other")[0].endpoint == "b"


def test_a_router_that_nobody_uses_is_forgotten() -> None:
    map = QuartMap()
    Router(map)
    gc.collect()
    assert list(map.watchers) == []
