"""The types of the methods that register functions: what they take is what they give back.

Knows no behaviour: a type checker refuses a function of a wrong shape where it is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, Protocol, TypeVar

from .typing import (
    AfterRequestCallable,
    AfterWebsocketCallable,
    BeforeRequestCallable,
    BeforeWebsocketCallable,
    ErrorHandlerCallable,
    RouteCallable,
    TeardownCallable,
    TemplateContextProcessorCallable,
    URLDefaultCallable,
    URLValuePreprocessorCallable,
    WebsocketCallable,
)

# The value of `plugins_disabled`; not any iterable of texts, since a text is one too.
PluginNames = Set[str] | list[str] | tuple[str, ...]

T_after_request = TypeVar("T_after_request", bound=AfterRequestCallable)
T_after_websocket = TypeVar("T_after_websocket", bound=AfterWebsocketCallable)
T_before_request = TypeVar("T_before_request", bound=BeforeRequestCallable)
T_before_websocket = TypeVar("T_before_websocket", bound=BeforeWebsocketCallable)
T_error_handler = TypeVar("T_error_handler", bound=ErrorHandlerCallable)
T_route = TypeVar("T_route", bound=RouteCallable)
T_teardown = TypeVar("T_teardown", bound=TeardownCallable)
T_context_processor = TypeVar("T_context_processor", bound=TemplateContextProcessorCallable)
T_url_defaults = TypeVar("T_url_defaults", bound=URLDefaultCallable)
T_url_value_preprocessor = TypeVar("T_url_value_preprocessor", bound=URLValuePreprocessorCallable)
T_websocket = TypeVar("T_websocket", bound=WebsocketCallable)


class RegistersAfterRequest(Protocol):
    def __call__(self, f: T_after_request) -> T_after_request: ...


class RegistersAfterWebsocket(Protocol):
    def __call__(self, func: T_after_websocket) -> T_after_websocket: ...


class RegistersBeforeRequest(Protocol):
    def __call__(self, f: T_before_request) -> T_before_request: ...


class RegistersBeforeWebsocket(Protocol):
    def __call__(self, func: T_before_websocket) -> T_before_websocket: ...


class RegistersTeardown(Protocol):
    def __call__(self, f: T_teardown) -> T_teardown: ...


class RegistersWebsocketTeardown(Protocol):
    def __call__(self, func: T_teardown) -> T_teardown: ...


class RegistersRoute(Protocol):
    """`get`, `post`, …; what has no name here goes to `add_url_rule`."""

    def __call__(
        self, rule: str, *, plugins_disabled: PluginNames = (), **options: Any
    ) -> Callable[[T_route], T_route]: ...
