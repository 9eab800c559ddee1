"""What the board changes of its framework, in the documented ways: subclasses and class attributes."""

from __future__ import annotations

from typing import Any

from quart import Quart, Request, Response, Websocket, request
from quart.config import Config
from quart.testing import QuartClient

from .provider import BoardJSONProvider
from .sessions import BoardSessionInterface


class BoardConfig(Config):
    @property
    def title(self) -> str:
        return f"<{self['BOARD_TITLE']}>"


class BoardRequest(Request):
    max_form_parts = 20

    @property
    def device(self) -> str:
        return self.headers.get("X-Device", "unknown")

    def on_json_loading_failed(self, error: Exception | None) -> Any:
        if error is None:
            return super().on_json_loading_failed(error)
        return {"broken": type(error).__name__}


class BoardResponse(Response):
    default_mimetype = "text/html"

    def stamp(self, value: str) -> None:
        self.headers["X-Stamp"] = value


class BoardWebsocket(Websocket):
    @property
    def room(self) -> str:
        return self.args.get("room", "hall")


class BoardClient(QuartClient):
    async def login(self, name: str, password: str):
        return await self.post("/auth/login", form={"name": name, "password": password})


class Board(Quart):
    config_class = BoardConfig
    request_class = BoardRequest
    response_class = BoardResponse
    websocket_class = BoardWebsocket
    json_provider_class = BoardJSONProvider
    test_client_class = BoardClient
    session_interface = BoardSessionInterface()
    jinja_options = {"trim_blocks": True, "lstrip_blocks": True}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logged: list[str] = []

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        if filename is not None and filename.endswith(".page"):
            return True
        return super().select_jinja_autoescape(filename)

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        if filename is not None and filename.endswith(".txt"):
            return 7
        return super().get_send_file_max_age(filename)

    def log_exception(self, exception_info: Any) -> None:
        self.logged.append(exception_info[0].__name__)

    async def make_default_options_response(self):
        response = await super().make_default_options_response()
        response.headers["X-Options"] = "the board's"
        return response

    async def process_response(self, response, request_context=None):
        response = await super().process_response(response, request_context)
        if request.path == "/overridden":
            response.headers["X-Processed"] = "by the override"
        return response
