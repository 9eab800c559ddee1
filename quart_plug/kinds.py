"""What differs between a request and a websocket, as data.

Everything that handles connections is written once and asks its `Kind`; a second copy of a method for the other
kind is a defect. Knows only names: no app, no context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

KindName = Literal["request", "websocket"]


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of connection.

    name            "request" or "websocket"; also what its functions are registered under.
    scope_type      the ASGI scope's `type`.
    reply_required  a request's view has to return a response; a websocket's view may return None.
    steps           step -> the public method of the app whose body is that step, in Quart's names.
    hooks           moment -> the name of the hook that is called then; each can be switched off for a route.
    """

    name: KindName
    scope_type: Literal["http", "websocket"]
    reply_required: bool
    steps: dict[str, str] = field(repr=False)
    hooks: dict[str, str] = field(repr=False)


def _kind(
    name: KindName,
    scope_type: Literal["http", "websocket"],
    reply_required: bool,
    process: str,
    fail: str,
    *moments: str,
) -> Kind:
    return Kind(
        name=name,
        scope_type=scope_type,
        reply_required=reply_required,
        steps={
            "handle": f"handle_{name}",
            "full_dispatch": f"full_dispatch_{name}",
            "preprocess": f"preprocess_{name}",
            "dispatch": f"dispatch_{name}",
            "finalize": f"finalize_{name}",
            "make_response": "make_response",
            "process": process,
            "handle_exception": fail,
            "handle_user_exception": "handle_user_exception",
            "handle_http_exception": "handle_http_exception",
            "teardown": f"do_teardown_{name}",
            "teardown_app": "do_teardown_appcontext",
        },
        hooks={
            "around": "connection",
            "matched": "route_matched",
            "response_sent": "response_sent",
            **{
                moment: f"{name}_{moment}"
                for moment in ("started", "before", "after", "error", "finished", "failed", "teardown", *moments)
            },
        },
    )


REQUEST = _kind("request", "http", True, "process_response", "handle_exception")
WEBSOCKET = _kind(
    *("websocket", "websocket", False, "postprocess_websocket", "handle_websocket_exception"),
    *("accepting", "received", "sending", "sent", "closed"),
)

KINDS: dict[str, Kind] = {"request": REQUEST, "websocket": WEBSOCKET}
