"""A signal of the board's own, and a list of what the framework's signals told."""

from __future__ import annotations

from typing import Any

from blinker import ANY
from quart import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    got_websocket_exception,
    message_flashed,
    request_finished,
    request_started,
    request_tearing_down,
    template_rendered,
    websocket_finished,
    websocket_started,
    websocket_tearing_down,
)
from quart.signals import Namespace, got_background_exception, websocket_received, websocket_sent

board_signals = Namespace()
note_added = board_signals.signal("note-added")

WATCHED = {
    "appcontext_popped": appcontext_popped,
    "appcontext_pushed": appcontext_pushed,
    "appcontext_tearing_down": appcontext_tearing_down,
    "before_render_template": before_render_template,
    "got_background_exception": got_background_exception,
    "got_request_exception": got_request_exception,
    "got_websocket_exception": got_websocket_exception,
    "message_flashed": message_flashed,
    "request_finished": request_finished,
    "request_started": request_started,
    "request_tearing_down": request_tearing_down,
    "template_rendered": template_rendered,
    "websocket_finished": websocket_finished,
    "websocket_received": websocket_received,
    "websocket_sent": websocket_sent,
    "websocket_started": websocket_started,
    "websocket_tearing_down": websocket_tearing_down,
}


class Recorder:
    """Listens to signals of one application: `with Recorder(app, "request_started", …) as heard:`."""

    def __init__(self, app: Any, *names: str) -> None:
        self.app = app
        self.names = names or tuple(WATCHED)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._receivers: list[tuple[Any, Any, Any]] = []

    def __enter__(self) -> Recorder:
        for name in self.names:
            receiver = self._receiver(name)
            # The sender of these two is the message.
            sender = ANY if name in {"websocket_received", "websocket_sent"} else self.app
            WATCHED[name].connect(receiver, sender)
            self._receivers.append((WATCHED[name], receiver, sender))
        return self

    def _receiver(self, name: str) -> Any:
        async def receiver(sender: Any, **values: Any) -> None:
            self.heard.append((name, values))

        return receiver

    def __exit__(self, *exception: object) -> None:
        for signal, receiver, sender in self._receivers:
            signal.disconnect(receiver, sender)

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.heard]
