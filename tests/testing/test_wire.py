"""What an app may send, message by message, and what of it a client sees."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.testing.errors import ASGIError
from quart_plug.testing.wire import ResponseWire, WebsocketWire, checked_close, checked_headers

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}
PUSH = {"type": "http.response.push", "path": "/a", "headers": []}

ACCEPT = {"type": "websocket.accept"}
TEXT = {"type": "websocket.send", "text": "t"}
CLOSE = {"type": "websocket.close", "code": 4000, "reason": "why"}
DENY = {"type": "websocket.http.response.start", "status": 401, "headers": []}
DENY_BODY = {"type": "websocket.http.response.body", "body": b"no"}

DENIABLE = {"type": "websocket", "subprotocols": ["a"], "extensions": {"websocket.http.response": {}}}


def start(*headers: tuple[Any, ...], status: Any = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def response(*messages: dict[str, Any], **scope: Any) -> ResponseWire:
    wire = ResponseWire({"type": "http", "method": "GET", **scope})
    for message in messages:
        wire.take(message)
    return wire


def websocket(*messages: dict[str, Any], **scope: Any) -> WebsocketWire:
    wire = WebsocketWire({**DENIABLE, **scope})
    for message in messages:
        wire.take(message)
    return wire


@pytest.mark.parametrize(
    ("messages", "scope"),
    [
        ([START, BODY], {}),
        ([START, MORE, MORE, BODY], {}),
        ([start((b"content-length", b"2")), MORE, BODY], {}),
        ([start((b"content-length", b"9")), BODY], {"method": "HEAD"}),
        ([start((b"content-length", b"9"), status=304), BODY], {}),
        ([start((b"x-a", b"")), BODY], {}),
        ([start((b"x-a", "é".encode())), BODY], {}),
        ([START, PUSH, BODY], {"extensions": {"http.response.push": {}}}),
    ],
)
def test_a_legal_response_is_complete(messages: list[dict[str, Any]], scope: dict[str, Any]) -> None:
    assert response(*messages, **scope).complete


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([BODY], "http.response.body came for a response that has not started"),
        ([START, START], "starts once"),
        ([START, BODY, BODY], "complete"),
        ([START, BODY, START], "complete"),
        ([{"type": "http.response.begin"}], "'http.response.begin' is not a message for"),
        ([{}], "None is not a message for"),
        ([PUSH], "not a message"),
        ([TEXT], "not a message"),
        ([start(status="200")], "status must be an int"),
        ([start(status=100)], "from 200 to 999"),
        ([start((b"X-A", b"1"))], "must be in lower case: b'x-a'"),
        ([start(("x-a", b"1"))], "must be bytes"),
        ([start((b"x-a", "1"))], "must be bytes"),
        ([start((b"x a", b"1"))], "not a legal header name"),
        ([start((b"", b"1"))], "not a legal header name"),
        ([start((b"x-a", b"1\r\nset-cookie: a"))], "control characters"),
        ([start((b"x-a", b" 1"))], "blanks at an end"),
        ([start((b"x-a", b"1\x00"))], "control characters"),
        ([start((b"x-a",))], "must be a pair"),
        ([{**START, "headers": "x"}], "must be an iterable"),
        ([{**START, "headers": None}], "must be an iterable"),
        ([start((b"content-length", b"x"))], "must be one number"),
        ([start((b"content-length", b"1"), (b"content-length", b"2"))], "must be one number"),
        ([start((b"content-length", b"0")), BODY], "has 1 bytes, content-length says 0"),
        ([start((b"content-length", b"2")), BODY], "ended after 1 bytes, content-length says 2"),
        ([START, {**BODY, "body": "text"}], "must be bytes, not str"),
    ],
)
def test_an_illegal_response_is_an_error_that_says_why(messages: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ASGIError) as caught:
        response(*messages)
    assert said in str(caught.value)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_body_that_no_server_sends_is_not_seen(method: str, status: int) -> None:
    wire = response(start((b"x-a", b"1"), status=status), MORE, BODY, method=method)
    assert (list(wire.chunks), wire.complete, list(wire.headers or ())) == ([], True, [("x-a", "1")])


def test_empty_parts_are_not_seen() -> None:
    wire = response(START, {**MORE, "body": b""}, MORE, {"type": "http.response.body"})
    assert list(wire.chunks) == [b"x"]


def test_repeated_headers_are_kept() -> None:
    wire = response(start((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")))
    assert wire.headers is not None
    assert wire.headers.getlist("set-cookie") == ["a=1", "b=2"]


@given(st.binary(max_size=8))
def test_a_header_value_that_passes_cannot_end_its_line(value: bytes) -> None:
    try:
        checked_headers("m", [(b"x", value)])
    except ASGIError:
        return
    assert not set(value) & {0, 10, 13}
    assert value == value.strip(b" \t")


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999, None])
def test_close_codes_that_may_be_sent(code: int | None) -> None:
    assert checked_close({"code": code}) == (code or 1000, "")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, "1000"])
def test_close_codes_that_may_not_be_sent(code: Any) -> None:
    with pytest.raises(ASGIError, match="close code"):
        checked_close({"code": code})


def test_a_reason_is_counted_in_bytes() -> None:
    assert checked_close({"reason": "é" * 61}) == (1000, "é" * 61)
    with pytest.raises(ASGIError, match="123 bytes"):
        checked_close({"reason": "é" * 62})


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([], "connecting"),
        ([ACCEPT], "accepted"),
        ([{**ACCEPT, "subprotocol": "a", "headers": [(b"x", b"y")]}], "accepted"),
        ([ACCEPT, TEXT, {"type": "websocket.send", "text": None, "bytes": b"x"}], "accepted"),
        ([ACCEPT, CLOSE], "closed"),
        ([CLOSE], "refused"),
        ([DENY], "connecting"),
        ([DENY, DENY_BODY], "refused"),
    ],
)
def test_a_websockets_legal_moves(messages: list[dict[str, Any]], state: str) -> None:
    assert websocket(*messages).state == state


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([TEXT], "'websocket.send' is not a message for a websocket that has not been accepted"),
        ([ACCEPT, ACCEPT], "'websocket.accept' is not a message for a websocket that has been accepted"),
        ([ACCEPT, CLOSE, TEXT], "that the app has closed with 4000 (why)"),
        ([ACCEPT, CLOSE, CLOSE], "that the app has closed"),
        ([CLOSE, TEXT], "that was refused with 403"),
        ([DENY, ACCEPT], "is being answered with 401"),
        ([DENY, CLOSE], "is being answered with 401"),
        ([DENY, DENY], "starts once"),
        ([DENY, DENY_BODY, DENY_BODY], "refused with 401"),
        ([ACCEPT, DENY], "has been accepted"),
        ([START], "'http.response.start' is not a message"),
        ([{**ACCEPT, "subprotocol": "b"}], "the client offered ['a'], not the subprotocol 'b'"),
        ([{**ACCEPT, "headers": [(b"X", b"y")]}], "lower case"),
        ([{**ACCEPT, "headers": [(b"sec-websocket-protocol", b"a")]}], "as `subprotocol`"),
        ([ACCEPT, {"type": "websocket.send"}], "either text or bytes"),
        ([ACCEPT, {"type": "websocket.send", "text": "a", "bytes": b"a"}], "either text or bytes"),
        ([ACCEPT, {"type": "websocket.send", "text": b"a"}], "text must be str"),
        ([ACCEPT, {"type": "websocket.send", "bytes": "a"}], "bytes must be bytes"),
        ([ACCEPT, {"type": "websocket.close", "code": 1006}], "1006 is no close code"),
    ],
)
def test_a_websockets_illegal_moves_name_the_move_and_the_state(messages: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ASGIError) as caught:
        websocket(*messages)
    assert said in str(caught.value)


def test_a_refusal_with_a_response_needs_the_extension() -> None:
    with pytest.raises(ASGIError, match=r"no extension websocket\.http\.response"):
        websocket(DENY, extensions={})


def test_messages_that_were_sent_before_the_client_left_stay() -> None:
    wire = websocket(ACCEPT, TEXT)
    wire.leave(1000, "")
    assert (wire.state, list(wire.messages), wire.close) == ("left", ["t"], (1000, ""))


def test_who_closes_first_counts() -> None:
    wire = websocket(ACCEPT, CLOSE)
    wire.leave(1000, "")
    assert (wire.state, wire.close) == ("closed", (4000, "why"))


MESSAGES = [ACCEPT, TEXT, CLOSE, DENY, DENY_BODY, START, BODY]


@given(st.lists(st.sampled_from([*MESSAGES, None])))
def test_any_sequence_ends_in_a_state_that_agrees_with_itself(moves: list[dict[str, Any] | None]) -> None:
    """Whatever both sides do, nothing but ASGIError is raised, and what the wire says is consistent."""
    wire = websocket()
    for move in moves:
        before = wire.state
        if move is None:
            wire.leave(1006, "")
        else:
            try:
                wire.take(move)
            except ASGIError:
                assert wire.state == before
        assert wire.accepted or wire.sent == 0
        assert (wire.state == "refused") == wire.denial.complete
        assert (wire.state in ("closed", "left")) <= (wire.close is not None)
        assert wire.told()
