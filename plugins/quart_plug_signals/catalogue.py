"""The signals: moments of an app's life that code elsewhere may listen to (blinker).

A receiver is called with the app as sender and with the named values; it may be a plain function, which runs
in a thread, or a coroutine function. The sender of `websocket_received` and `websocket_sent` is the message.

    signal                    values               when
    request_started                                before every `before_request` function
    request_finished          response             the response is complete
    request_tearing_down      exc                  the request's context ends
    got_request_exception     exception            an error that nothing handled
    websocket_started                              before every `before_websocket` function
    websocket_finished        response             the view returned; the response is None after a handshake
    websocket_tearing_down    exc                  the websocket's context ends
    got_websocket_exception   exception            an error that nothing handled
    websocket_received                             a message came in
    websocket_sent                                 a message was sent
    got_background_exception  exception            a background task failed
    got_serving_exception     exception            a start-up or shutdown function failed
    appcontext_pushed                              a context became the current one
    appcontext_tearing_down   exc                  a context is about to end
    appcontext_popped                              a context is no longer the current one
    before_render_template    template, context    a template is about to be rendered
    template_rendered         template, context    a template was rendered
    message_flashed           message, category    `flash()` was called

Knows who listens, not who sends.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from blinker import ANY, NamedSignal, Namespace

from quart_plug.app_tables import MISSING, Keys, more_tables
from quart_plug.hooks import notify_change

F = TypeVar("F", bound=Callable[..., Any])

signals_available = True  # Flask's flag from the time when blinker was optional


class AppSignal(NamedSignal):
    """A signal that costs nothing while nobody listens: with the first receiver its sending is compiled in.

    A receiver that was connected weakly and died is not announced, since that may happen inside of a garbage
    collection; until the next change of any kind its signal is sent to nobody.
    """

    def connect(self, receiver: F, sender: Any = ANY, weak: bool = True) -> F:
        """Call `receiver(sender, **values)` at each sending, or only for `sender`.

        weak  hold the receiver weakly: one that nobody else holds, such as a local function, is forgotten.
        """
        first = not self.receivers
        super().connect(receiver, sender, weak)
        if first:
            notify_change()
        return receiver

    def disconnect(self, receiver: Callable[..., Any], sender: Any = ANY) -> None:
        """Call `receiver` no longer; no error when it was not connected."""
        connected = bool(self.receivers)
        super().disconnect(receiver, sender)
        if connected and not self.receivers:
            notify_change()


class Receivers(Keys):
    """The receivers of a signal: those that a plugin's set-up connects are disconnected when the plugin goes."""

    def __init__(self, name: str, signal: NamedSignal) -> None:
        super().__init__(("signals", name), lambda: signal.receivers)
        self.signal = signal

    def put(self, key: Any, value: Any) -> None:
        receiver = self.get(key)
        if isinstance(receiver, weakref.ref):
            receiver = receiver()
        if value is MISSING and receiver is not None:
            self.signal.disconnect(receiver)


def _receivers(app: Any) -> Iterator[Receivers]:
    return (Receivers(name, signal) for name, signal in (CATALOGUE | NAMED).items())


more_tables.append(_receivers)

request_started = AppSignal("request-started")
request_finished = AppSignal("request-finished")
request_tearing_down = AppSignal("request-tearing-down")
got_request_exception = AppSignal("got-request-exception")
websocket_started = AppSignal("websocket-started")
websocket_finished = AppSignal("websocket-finished")
websocket_tearing_down = AppSignal("websocket-tearing-down")
got_websocket_exception = AppSignal("got-websocket-exception")
websocket_received = AppSignal("websocket-received")
websocket_sent = AppSignal("websocket-sent")
got_background_exception = AppSignal("got-background-exception")
got_serving_exception = AppSignal("got-serving-exception")
appcontext_pushed = AppSignal("appcontext-pushed")
appcontext_tearing_down = AppSignal("appcontext-tearing-down")
appcontext_popped = AppSignal("appcontext-popped")
before_render_template = AppSignal("before-render-template")
template_rendered = AppSignal("template-rendered")
message_flashed = AppSignal("message-flashed")

NAMED: dict[str, AppSignal] = {}


def signal(name: str) -> AppSignal:
    """A signal by its name: that of a moment that is not among those above, such as "response_sent" (named after the
    hook, sent with its arguments), or one that a plugin adds by the hook `signals`; else one of the above.

    It may be asked for before the plugin is loaded: whoever asks first makes it.
    """
    found = CATALOGUE.get(name) or NAMED.get(name)
    if found is None:
        found = NAMED[name] = AppSignal(name)
    return found


CATALOGUE = {name: value for name, value in globals().items() if isinstance(value, AppSignal)}

__all__ = ["AppSignal", "Namespace", "signal", "signals_available", *CATALOGUE]
