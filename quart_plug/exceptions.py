"""The errors of quart-plug, and werkzeug's HTTP errors under the name a Quart developer looks for.

    Exception
    ├── ConnectionClosed         a websocket's connection has ended
    ├── WebsocketStateError      a move that the websocket's state does not allow
    ├── InvalidJSON              a websocket's message is no JSON: a BadRequest and a JSONDecodeError
    ├── InvalidMessage           a websocket's message does not fit the type that the view wants: a BadRequest
    ├── MessageDropped           raised by a plugin: a websocket's message is not passed on
    ├── MessageRefused           raised by a plugin: it is not passed on, and the websocket is closed
    ├── ClientDisconnected       the client of a request left (the view is cancelled; this is for who reads)
    └── PluginError              anything that is wrong with a plugin, or with how it is asked for
        ├── PluginNotEnabled     a name or function was used whose plugin is off
        ├── PluginNotFound       a setting names a plugin that is not installed
        ├── PluginLoadError      a plugin could not be imported or set up
        ├── PluginErrors         several of these at once; it is caught as each of them is
        ├── PluginHookError      a hook implementation does not fit its specification
        └── PluginSettingsError  the plugin settings contradict themselves, or came too late
            └── PluginConfigError    a plugin's configuration is wrong; a PluginLoadError too

Imports nothing of the package: the tree is the lowest layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from json import JSONDecodeError

from werkzeug.exceptions import (
    Aborter,
    BadGateway,
    BadHost,
    BadRequest,
    BadRequestKeyError,
    ClientDisconnected,
    Conflict,
    ExpectationFailed,
    FailedDependency,
    Forbidden,
    GatewayTimeout,
    Gone,
    HTTPException,
    HTTPVersionNotSupported,
    ImATeapot,
    InternalServerError,
    LengthRequired,
    Locked,
    MethodNotAllowed,
    MisdirectedRequest,
    NotAcceptable,
    NotFound,
    NotImplemented,  # noqa: A004 - werkzeug's name for the error of status 501
    PreconditionFailed,
    PreconditionRequired,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
    RequestURITooLarge,
    SecurityError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnavailableForLegalReasons,
    UnprocessableEntity,
    UnsupportedMediaType,
    abort,
    default_exceptions,
)

__all__ = [
    "Aborter",
    "BadGateway",
    "BadHost",
    "BadRequest",
    "BadRequestKeyError",
    "ClientDisconnected",
    "Conflict",
    "ConnectionClosed",
    "ExpectationFailed",
    "FailedDependency",
    "Forbidden",
    "GatewayTimeout",
    "Gone",
    "HTTPException",
    "HTTPVersionNotSupported",
    "ImATeapot",
    "InternalServerError",
    "InvalidJSON",
    "InvalidMessage",
    "LengthRequired",
    "Locked",
    "MessageDropped",
    "MessageRefused",
    "MethodNotAllowed",
    "MisdirectedRequest",
    "NotAcceptable",
    "NotFound",
    "NotImplemented",
    "PluginConfigError",
    "PluginError",
    "PluginErrors",
    "PluginHookError",
    "PluginLoadError",
    "PluginNotEnabled",
    "PluginNotFound",
    "PluginSettingsError",
    "PreconditionFailed",
    "PreconditionRequired",
    "RequestEntityTooLarge",
    "RequestHeaderFieldsTooLarge",
    "RequestTimeout",
    "RequestURITooLarge",
    "RequestedRangeNotSatisfiable",
    "SecurityError",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnavailableForLegalReasons",
    "UnprocessableEntity",
    "UnsupportedMediaType",
    "WebsocketStateError",
    "abort",
    "default_exceptions",
]


class ConnectionClosed(Exception):
    """A websocket's connection has ended.

    Raised by `receive` and by `send`, by the first call after the closing and by every later one.

    code       the close code (RFC 6455, 7.4): 1000 for a normal end, 1005 when the peer gave none, 1006 when the
               connection was lost without a close frame.
    reason     the peer's words, or "".
    closed_by  "client", "server", "network", or None where the server does not tell.
    """

    def __init__(self, code: int = 1006, reason: str = "", closed_by: str | None = None) -> None:
        super().__init__(code, reason, closed_by)
        self.code = code
        self.reason = reason
        self.closed_by = closed_by

    def __str__(self) -> str:
        by = f" by the {self.closed_by}" if self.closed_by else ""
        why = f": {self.reason}" if self.reason else ""
        return f"the websocket was closed{by} with code {self.code}{why}"


class InvalidJSON(BadRequest, JSONDecodeError):
    """A websocket's message is no JSON: the client's fault, and what Quart raises there.

    msg                      what is wrong.
    doc, pos, lineno, colno  where, as far as the JSON provider tells.
    """

    def __init__(self, msg: str, doc: str = "", pos: int = 0) -> None:
        JSONDecodeError.__init__(self, msg, doc, pos)  # an HTTPException's would call it without arguments
        self.description = msg
        self.response = None


class InvalidMessage(BadRequest):
    """A websocket's message is JSON, and does not fit the type that `receive_json` was asked for.

    errors       everything that does not fit, each as {"path": "items[2].price", "message": "has to be a number, not
                 'x'"}; the path of the whole message is "". It can be sent to the client as it is.
    description  the same in words.
    """

    def __init__(self, description: str | None = None, errors: Iterable[dict[str, str]] = ()) -> None:
        super().__init__(description)
        self.errors = list(errors)


class MessageDropped(Exception):
    """A plugin's word in `websocket_received` or `websocket_sending`: the message is not passed on.

    The view goes on waiting for the next one; who sent it does not notice.
    """


class MessageRefused(Exception):
    """A plugin's word in `websocket_received` or `websocket_sending`: the websocket is closed in place of the message.

    reason  for the client: at most 123 bytes of UTF-8.
    code    the close code (RFC 6455, 7.4); 1008 stands for a breach of the server's policy.
    """

    def __init__(self, reason: str = "", code: int = 1008) -> None:
        super().__init__(reason, code)
        self.reason = reason
        self.code = code

    def __str__(self) -> str:
        return f"the message was refused with code {self.code}{': ' if self.reason else ''}{self.reason}"


class WebsocketStateError(RuntimeError):
    """A call that the websocket's state does not allow, such as `send()` after `reject()`."""


class PluginError(Exception):
    """Anything that is wrong with a plugin, or with how it is asked for.

    faults  a line for each thing that is wrong, where the message lists several.
    """

    def __init__(self, message: str = "", faults: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class PluginNotEnabled(PluginError, RuntimeError):
    """Something was used that a plugin provides which is turned off."""


class PluginNotFound(PluginError, LookupError):
    """A setting names a plugin that is not installed."""


class PluginLoadError(PluginError):
    """A plugin could not be imported or set up; the cause is chained."""


class PluginHookError(PluginError):
    """A hook implementation does not fit its specification: an unknown hook, an unknown argument, a wrong colour."""


class PluginSettingsError(PluginError, ValueError):
    """The plugin settings contradict themselves, or were changed after the plugins were set up."""


class PluginConfigError(PluginLoadError, PluginSettingsError):
    """A plugin's configuration does not fit its schema, or is for a plugin that has none or is not there."""


class PluginErrors(PluginError):
    """Several things are wrong, told at once. What is raised derives from the classes of all `errors` as well, so that
    `except PluginNotFound` catches it when a plugin that is not installed is among them.
    """

    errors: tuple[PluginError, ...] = ()

    @classmethod
    def of(cls, message: str, errors: Sequence[PluginError]) -> PluginErrors:
        """Make the error for these; it has their faults too."""
        kinds = dict.fromkeys(type(error) for error in errors)
        own = [kind for kind in kinds if not any(other is not kind and issubclass(other, kind) for other in kinds)]
        made = type(cls.__name__, (cls, *own), {"__module__": cls.__module__, "__doc__": cls.__doc__})
        several: PluginErrors = made(message, [fault for error in errors for fault in error.faults or [str(error)]])
        several.errors = tuple(errors)
        return several

    def __reduce__(self) -> tuple[object, ...]:
        return PluginErrors.of, (str(self), self.errors)
