"""The websocket's states: each move from each state, and random sequences from both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.exceptions import ConnectionClosed, WebsocketStateError
from quart_plug.wrappers.socket import MOVES, STATES, Socket, check_close, ending

LEGAL = {
    "connecting": {
        "connect": "connecting",
        "accept": "accepted",
        "close": "rejected",
        "reject": "rejected",
        "shut": "closed",
        "disconnect": "closed",
    },
    "accepted": {
        "connect": "accepted",
        "accept": "accepted",
        "send": "accepted",
        "receive": "accepted",
        "message": "accepted",
        "close": "closing",
        "shut": "closed",
        "disconnect": "closed",
    },
    "closing": {
        "connect": "closing",
        "message": "closing",
        "close": "closing",
        "shut": "closed",
        "closed": "closed",
        "disconnect": "closed",
    },
    "closed": dict.fromkeys(["connect", "message", "close", "shut", "closed", "disconnect"], "closed"),
    "rejected": {"connect": "rejected", "close": "rejected", "shut": "rejected", "disconnect": "rejected"},
}


def in_state(state: str) -> Socket:
    socket = Socket()
    if state in ("accepted", "closing", "closed"):
        socket.move("accept")
    if state in ("closing", "closed"):
        socket.close(1000, "done")
    if state == "closed":
        socket.move("closed")
    if state == "rejected":
        socket.reject(403)
    assert socket.state == state
    return socket


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("move", MOVES)
def test_a_move_leads_where_it_should_or_is_refused(state: str, move: str) -> None:
    socket = in_state(state)
    expected = LEGAL[state].get(move)
    if expected is None:
        with pytest.raises(WebsocketStateError) as caught:
            socket.move(move)
        assert str(caught.value).startswith(f"{MOVES[move]} on a websocket that ")
        assert socket.state == state
    else:
        assert socket.move(move) == (expected != state)
        assert socket.state == expected


def test_an_error_names_the_move_and_the_state() -> None:
    assert str(in_state("rejected").illegal("send")) == "send() on a websocket that was rejected with 403"
    assert str(in_state("connecting").illegal("send")) == "send() on a websocket that has not been accepted"
    assert str(in_state("accepted").illegal("reject")) == "reject() on a websocket that has been accepted"
    assert (
        str(in_state("closing").illegal("accept"))
        == "accept() on a websocket that is being closed by the server with code 1000 (done)"
    )


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_codes_that_may_be_sent(code: int) -> None:
    check_close(code, "")


@pytest.mark.parametrize(
    "code",
    [-1, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 100_000, True, "1000", None, 1000.0],
)
def test_codes_that_may_not_be_sent(code: object) -> None:
    with pytest.raises(ValueError, match="cannot be closed with the code") as caught:
        check_close(code, "")  # type: ignore[arg-type]
    assert repr(code) in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "fits"), [("x" * 123, True), ("x" * 124, False), ("é" * 61, True), ("é" * 62, False)]
)
def test_a_reason_has_room_for_123_bytes(reason: str, fits: bool) -> None:
    if fits:
        check_close(1000, reason)
    else:
        with pytest.raises(ValueError, match="124 bytes"):
            check_close(1000, reason)


def test_an_illegal_close_changes_nothing() -> None:
    socket = in_state("accepted")
    with pytest.raises(ValueError, match="1005"):
        socket.close(1005)
    assert (socket.state, socket.code) == ("accepted", None)


@pytest.mark.parametrize("status", [101, 199, 600, "403", True, None])
def test_an_impossible_status_for_a_refusal(status: object) -> None:
    socket = Socket()
    with pytest.raises(ValueError, match="cannot be refused with the status"):
        socket.reject(status)  # type: ignore[arg-type]
    assert socket.state == "connecting"


def test_closing_before_accepting_is_a_refusal_with_403() -> None:
    socket = Socket()
    assert socket.close(1008, "no token")
    assert (socket.state, socket.status, socket.code, socket.closed_by) == ("rejected", 403, 1008, "server")


def test_the_first_ending_is_the_one_that_is_told() -> None:
    socket = in_state("closing")
    assert socket.disconnect(1006, "", "network")
    assert (socket.code, socket.reason, socket.closed_by) == (1000, "done", "server")
    error = socket.error()
    assert isinstance(error, ConnectionClosed)
    assert str(error) == "the websocket was closed by the server with code 1000: done"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"code": 1000, "reason": ""}, (1000, "", "client")),
        ({"code": 4001, "reason": "x"}, (4001, "x", "client")),
        ({"code": 1001}, (1001, "", "client")),
        ({"code": 1005, "reason": ""}, (1005, "", "client")),
        ({"code": 1005}, (1005, "", None)),
        ({}, (1005, "", None)),
        ({"code": None, "reason": None}, (1005, "", None)),
        ({"code": 1006}, (1006, "", "network")),
        ({"code": 1012, "reason": ""}, (1012, "", "server")),
        ({"code": 1006, "closed_by": "client"}, (1006, "", "client")),
        ({"code": 1000, "closed_by": "nonsense"}, (1000, "", "client")),
    ],
)
def test_what_a_disconnect_message_tells(message: dict[str, object], expected: tuple[object, ...]) -> None:
    assert ending(message) == expected


@given(
    st.lists(
        st.one_of(
            st.sampled_from(sorted(MOVES)),
            st.tuples(st.just("close"), st.sampled_from([1000, 1008, 4000]), st.text(max_size=20)),
            st.tuples(st.just("reject"), st.integers(200, 599)),
            st.tuples(st.just("disconnect"), st.integers(1000, 4999), st.text(max_size=20), st.none()),
            st.tuples(st.just("shut"), st.just(1013), st.just("slow")),
        ),
        max_size=30,
    )
)
def test_whatever_both_sides_do_the_rules_hold(moves: list[object]) -> None:
    """An end is final; the code is told once there is an end that tells it, and does not change any more."""
    socket = Socket()
    order = {"connecting": 0, "accepted": 1, "closing": 2, "closed": 3, "rejected": 3}
    for move in moves:
        state, code = socket.state, socket.code
        try:
            if isinstance(move, tuple):
                getattr(socket, move[0])(*move[1:])
            else:
                socket.move(move)  # type: ignore[arg-type]
        except WebsocketStateError as error:
            assert socket.state == state
            assert socket.told() in str(error)
        assert order[socket.state] >= order[state]
        if state in ("closed", "rejected"):
            assert socket.state == state
        if code is not None:
            assert socket.code == code
