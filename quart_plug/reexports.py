"""Names that Quart's modules have because they import them, and that code takes from there.

A test of somebody's imports `QuartClient` from `quart.app`, where an editor found it first; an extension takes
`_cv_request` from `quart.ctx`. For each module: where its names are in truth. They are looked up when asked for
(hooks/names.py), since most of them lie above the module or in a plugin. What the module imports itself is not here.
"""

from __future__ import annotations


def _table(places: dict[str, str]) -> dict[str, str]:
    return {name: place for place, names in places.items() for name in names.split()}


_CONTEXT_VARS = "_cv_app _cv_request _cv_websocket"

APP = _table(
    {
        ".blueprints": "Blueprint",
        ".cli": "AppGroup",
        ".ctx": "AppContext RequestContext WebsocketContext _AppCtxGlobals has_request_context has_websocket_context",
        ".globals": f"{_CONTEXT_VARS} g request request_ctx session websocket websocket_ctx",
        ".helpers": "get_debug_flag get_flashed_messages send_from_directory",
        ".running": "_cancel_all_tasks",
        ".sessions": "SecureCookieSessionInterface",
        ".signals": "appcontext_tearing_down got_background_exception got_request_exception got_serving_exception "
        "got_websocket_exception request_finished request_started request_tearing_down websocket_finished "
        "websocket_started websocket_tearing_down",
        ".templating": "Environment",
        ".testing": "QuartClient QuartCliRunner TestApp make_test_body_with_headers "
        "make_test_headers_path_and_query_string make_test_scope no_op_push sentinel",
        ".typing": "ASGIHTTPProtocol ASGILifespanProtocol ASGIWebsocketProtocol Event HeadersValue "
        "ResponseReturnValue StatusCode TestAppProtocol TestClientProtocol",
        ".utils": "MustReloadError cancel_tasks file_path_to_path observe_changes restart",
        ".wrappers": "BaseRequestWebsocket",
    }
)
ASGI = _table(
    {
        ".debug": "traceback_response",
        ".signals": "websocket_received websocket_sent",
        ".utils": "encode_headers raise_task_exceptions",
    }
)
BLUEPRINTS = _table({".cli": "AppGroup", ".helpers": "send_from_directory", ".typing": "FilePath"})
CTX = _table(
    {
        ".globals": _CONTEXT_VARS,
        ".sessions": "SessionMixin",
        ".signals": "appcontext_popped appcontext_pushed",
        ".wrappers": "BaseRequestWebsocket Request Websocket",
    }
)
HELPERS = _table(
    {
        ".globals": "_cv_request",
        ".signals": "message_flashed",
        ".typing": "FilePath ResponseReturnValue",
        ".utils": "file_path_to_path",
        ".wrappers": "Response",
        ".wrappers.response": "ResponseBody",
    }
)
PACKAGE = {"cli": ".cli", "formparser": ".formparser", "sessions": ".sessions"}  # modules that are imported when needed
SESSIONS = _table({".wrappers": "BaseRequestWebsocket Response"})
TESTING_CLIENT = _table(
    {
        ".globals": "_cv_request",
        ".sessions": "SessionMixin",
        ".testing.utils": "make_test_scope",
        ".typing": "TestHTTPConnectionProtocol TestWebsocketConnectionProtocol",
        ".wrappers": "Response",
    }
)
