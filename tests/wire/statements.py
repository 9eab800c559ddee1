"""What docs and design say a websocket does, statement by statement, and what shows that it does.

`row:NAME` is a row of the table, tried on each server; `FILE::TEST` and `FILE` are tests that need no server, or more
than one. A statement may need several of them. The test of this table is in test_table.py.
"""

from __future__ import annotations

_CONNECTION = "tests/wrappers/test_websocket"

STATEMENTS: dict[str, dict[str, list[str]]] = {
    "API": {
        "async for ends with 1000, 1001 and 1005, and raises ConnectionClosed otherwise": [
            "row:iteration",
            "row:no_code",
        ],
        "receive takes a time limit; TimeoutError leaves the connection usable": ["row:receive_timeout"],
        "send, receive_json, send_json, send_text, send_bytes": [
            "row:sizes_in",
            "row:sizes_out",
            "row:bad_json",
            f"{_CONNECTION}.py::test_what_cannot_be_sent_says_so",
        ],
        "receive_json(type=…)": [f"{_CONNECTION}_typed.py"],
        "a second close does nothing": ["row:closed_by_view"],
        "an illegal code or reason is a ValueError before anything is sent": ["row:illegal_codes"],
        "each legal code and reason arrives as sent": [
            "row:codes_in",
            "row:codes_out",
            "row:page_closes",
            "row:page_is_closed",
        ],
        "reject is a real HTTP answer before accept": ["row:reject", "row:reject_and_go_on"],
        "without the extension it is a plain refusal": [
            f"{_CONNECTION}_handshake.py::test_rejecting_where_the_server_has_no_extension_is_a_plain_refusal"
        ],
        "state, closed, close_code, close_reason, closed_by": ["row:closed_by_view", "row:codes_in", "row:reset"],
        "id is unique, and in logs, signals and hooks": ["row:failure_logged", "tests/test_websocket_ids.py"],
        "the subprotocol is negotiated in the server's order": [
            "row:accept",
            "row:subprotocol",
            "row:page_subprotocols",
        ],
        "a bearer token may be a subprotocol": ["row:bearer", "row:page_subprotocols", f"{_CONNECTION}_bearer.py"],
        "accept sends headers": ["row:accept"],
        "ConnectionClosed is raised by receive and send, by the first call after the end and each later one": [
            "row:repeated",
            f"{_CONNECTION}_told_often.py",
        ],
        "invalid JSON is a BadRequest, and the connection stays open": ["row:bad_json", "row:example_errors"],
        "receive and send accept the connection": [f"{_CONNECTION}_handshake.py::test_messages_accept_by_themselves"],
        "messages of each size, in order, whole under concurrent sends": [
            "row:sizes_in",
            "row:sizes_out",
            "row:concurrent_sends",
            "row:order_and_isolation",
            "row:fragments",
            "row:page_messages",
        ],
    },
    "States": {
        "an illegal move raises an error that names move and state": ["tests/wrappers/test_socket.py"],
        "random sequences from both sides": [f"{_CONNECTION}_both_sides.py", f"{_CONNECTION}_sequences.py"],
        "close before accept refuses with 403": ["row:refusals"],
        "the view returns: 1000; fails: 1011": ["row:view_ends", "row:page_is_closed"],
        "the error is logged once, with the id": ["row:failure_logged", "tests/test_websocket_failures.py"],
        "before accept the error is an HTTP answer": ["row:refusals"],
        "ConnectionClosed that leaves the view, also in a group, is a normal end": ["row:closed_in_group"],
        "before_websocket may answer": ["row:refusals"],
        "10,000 connections leave nothing behind": [f"{_CONNECTION}_thousands.py"],
    },
    "The protocol": {
        "a handshake that is none, or for another protocol": ["row:bad_handshake", "row:unknown_upgrade"],
        "data before the handshake's answer": ["row:early_data"],
        "breaches, and what the view learns of them": ["row:breaches", "row:breaches_told"],
        "the closing handshake": ["row:close_answered"],
        "pings of the peer": ["row:pings_answered"],
    },
    "Disconnects": {
        "raise: who waits in receive or send gets ConnectionClosed": [
            "row:reset",
            "row:cut",
            "row:reset_while_sending",
        ],
        "raise: a view that waits for something else has the grace, and is cancelled": ["row:mode_raise"],
        "raise: unless it touches the socket": ["row:mode_raise_touched"],
        "a view that swallows ConnectionClosed in a loop is cancelled": ["row:swallowed"],
        "cancel: the view's task is cancelled at once": ["row:mode_cancel"],
        "auto: cancel under the alias for a view that does not know ConnectionClosed": [
            "row:example_basic",
            "tests/portable",
        ],
        "the seed's examples run as they stand": [
            "row:example_basic",
            "row:example_authentication",
            "row:example_json_messages",
            "row:example_broadcasting",
            "row:example_errors",
            "row:example_heartbeat",
        ],
        "a pending receive of the server is never cancelled where that loses messages": [
            "row:example_heartbeat",
            "row:receive_timeout",
            "tests/wrappers/test_inbox.py::test_a_pumped_receive_is_never_cancelled_only_its_waiter",
        ],
    },
    "The proxy": {
        "storing the proxy is a TypeError, under the alias a warning": [
            "tests/test_globals.py::test_the_websocket_proxy_is_not_to_be_stored",
            "tests/test_globals.py::test_under_the_alias_it_is_a_warning",
        ],
        "tasks created in a view see the same connection": ["row:closed_in_group", "row:concurrent_sends"],
    },
    "Limits": {
        "WEBSOCKET_MAX_MESSAGE_SIZE, exact, on the inflated size, 1009": [
            "row:largest_message",
            "row:largest_inflated",
        ],
        "passed on to the server": ["row:largest_unfinished"],
        "a deflate bomb": ["row:bomb"],
        "WEBSOCKET_RECEIVE_QUEUE: TCP pushes back, nothing is pumped into memory or lost": [
            "row:deaf_view",
            "row:deaf_view_reads",
        ],
        "WEBSOCKET_SEND_TIMEOUT: the view is told at once, others go on, the transport is aborted": [
            "row:send_timeout",
            "row:nobody_delayed",
            "row:socket_gone",
        ],
        "WEBSOCKET_RECEIVE_STALL": ["row:receive_stall"],
        "WEBSOCKET_IDLE_TIMEOUT": ["row:idle"],
        "WEBSOCKET_ACCEPT_TIMEOUT": ["row:accept_timeout"],
        "WEBSOCKET_PING_INTERVAL, …_TIMEOUT": ["row:silence", "row:stopped_process", "row:answered_pings"],
        "heartbeat()": ["row:heartbeat", f"{_CONNECTION}_heartbeat.py"],
        "WEBSOCKET_ALLOWED_ORIGINS: same origin, with credentials alone, compared exactly, null never": [
            "row:origins",
            "row:origins_without_cookies",
            "row:page_origins",
        ],
        "the scheme is taken from the trusted proxies": ["row:trusted_proxy", "row:nobody_trusted"],
        "a refusal logs the origin seen, the one expected and the setting": ["row:refused_origin_logged"],
    },
    "Draining": {
        "new sockets are refused": ["row:drained_refuses", "tests/test_draining.py"],
        "websockets get 1012 with a reason": ["row:drained_sockets", "row:page_reconnects"],
        "no request that was accepted fails": ["row:drained_requests"],
        "then the server is stopped": ["row:drained_status"],
        "what is left after SHUTDOWN_TIMEOUT is cancelled": ["row:hanging"],
        "a second signal stops at once": ["row:second_signal"],
    },
    "Elsewhere": {
        "rooms": ["plugins/quart_plug_rooms"],
        "the test client": ["tests/testing"],
    },
}
