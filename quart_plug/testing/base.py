"""What a test's ends of a request and of a websocket share.

What the app sends passes through `wire`, which checks it; what the app raises is raised in the test. Every wait has the
limit `timeout` (seconds, None for none).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers

from ..typing import Message, Scope
from .exchange import Exchange, SendAfterClose
from .wire import ResponseWire

if TYPE_CHECKING:
    from ..app import Quart
    from ..wrappers import Response


def make_response(app: Quart, body: bytes, wire: ResponseWire) -> Response:
    """The app's kind of Response, with exactly the headers that were sent."""
    assert wire.status is not None and wire.headers is not None
    response: Response = app.response_class(body, wire.status, wire.headers.copy())
    response.headers.clear()  # a constructor may add a content type or a length that was never sent
    response.headers.extend(wire.headers)
    return response


class Connection:
    """What both kinds share."""

    __test__ = False

    def __init__(
        self, app: Quart, scope: Scope, take: Callable[[Message], None], told: Callable[[], str]
    ) -> None:
        self.app = app
        self.scope = scope
        self._exchange = Exchange(app, scope, take, told)
        self.on_answer: Callable[[Headers], None] | None = None  # called once, with the answer's headers

    def _answered(self, headers: Headers | None) -> None:
        if headers is not None and self.on_answer is not None:
            on_answer, self.on_answer = self.on_answer, None
            on_answer(headers)

    @property
    def timeout(self) -> float | None:
        """The limit of every wait, in seconds; None for no limit."""
        return self._exchange.timeout

    @timeout.setter
    def timeout(self, timeout: float | None) -> None:
        self._exchange.timeout = timeout

    @property
    def send_after_close(self) -> SendAfterClose:
        """For an app that sends when the client has left: "ignore", as hypercorn, or "raise", as uvicorn."""
        return self._exchange.send_after_close

    @send_after_close.setter
    def send_after_close(self, choice: SendAfterClose) -> None:
        if choice not in ("ignore", "raise"):
            raise ValueError(f'send_after_close must be "ignore" or "raise", not {choice!r}')
        self._exchange.send_after_close = choice

    @property
    def _path(self) -> str:
        return str(self.scope.get("path", ""))
