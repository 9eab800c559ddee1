"""What an app and a blueprint share: the decorators, and the one table that they fill.

A registered function is a row of the table: stage ("before", "after", "teardown"), kind ("request", "websocket"), and
the blueprint's name (None: the app's own). The attributes that Flask has for them (`before_request_funcs`, …) are live
views of that table. Whatever is written there is noticed (`_changed`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .decorators import (
    PluginNames,
    RegistersAfterRequest,
    RegistersAfterWebsocket,
    RegistersBeforeRequest,
    RegistersBeforeWebsocket,
    RegistersRoute,
    RegistersTeardown,
    RegistersWebsocketTeardown,
    T_context_processor,
    T_error_handler,
    T_route,
    T_url_defaults,
    T_url_value_preprocessor,
    T_websocket,
)
from .kinds import Kind
from .resources import Resource, open_below
from .tables import ObservedDict, PublicTable, error_handlers, function_lists, make_tables, plain_table
from .typing import FilePath

if TYPE_CHECKING:
    from .wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])

STAGES = ("before", "after", "teardown")


def _functions(stage: str, kind: str) -> Any:
    return PublicTable(function_lists, f"`{stage}` functions for a {kind}, by blueprint.")


def _decorator(stage: str, kind: str, doc: str) -> Any:
    def add(scaffold: Scaffold, function: F) -> F:
        scaffold._check_function(function, f"{stage}_{kind}")
        getattr(scaffold, f"{stage}_{kind}_funcs")[None].append(function)
        return function

    return named_register(add, f"{stage}_{kind}", doc)


def named_register(add: Callable[[Any, F], F], name: str, doc: str) -> Callable[[Any, F], F]:
    """A method that registers a function; its argument is named as in Flask, or as in Quart where Flask has none."""
    if name.endswith(("_websocket", "_serving")):

        def register(self: Any, func: F) -> F:
            return add(self, func)

    else:

        def register(self: Any, f: F) -> F:  # type: ignore[misc]  # the same under the other name
            return add(self, f)

    register.__name__ = name
    register.__doc__ = doc
    return register


def _route_for(method: str) -> Any:
    def decorate(self: Scaffold, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        if "methods" in options:
            raise TypeError(
                f"{method.lower()}() sets the method itself; use @route({rule!r}, methods=[...]) for others"
            )
        return self.route(rule, methods=[method], **options)

    decorate.__name__ = method.lower()
    decorate.__doc__ = f"Register a view for {method} requests; a shortcut for `route(rule, methods=[{method!r}])`."
    return decorate


class Scaffold:
    """The base of `Quart` and `Blueprint`."""

    name: str
    before_request_funcs = _functions("before", "request")
    after_request_funcs = _functions("after", "request")
    teardown_request_funcs = _functions("teardown", "request")
    before_websocket_funcs = _functions("before", "websocket")
    after_websocket_funcs = _functions("after", "websocket")
    teardown_websocket_funcs = _functions("teardown", "websocket")

    view_functions = PublicTable(plain_table, "`{endpoint: view}`.")
    error_handler_spec = PublicTable(error_handlers, "`{blueprint: {status code: {class: handler}}}`.")
    url_value_preprocessors = PublicTable(function_lists, "`{blueprint: [functions]}`.")
    url_default_functions = PublicTable(function_lists, "`{blueprint: [functions]}`.")
    template_context_processors = PublicTable(function_lists, "`{blueprint: [functions]}`.")

    before_request: RegistersBeforeRequest = _decorator(
        "before",
        "request",
        "Call `f()` before each request; a value that is not None takes the view's place.",
    )
    after_request: RegistersAfterRequest = _decorator(
        "after", "request", "Call `f(response)` after each request; it returns the response to send."
    )
    teardown_request: RegistersTeardown = _decorator(
        "teardown", "request", "Call `f(error or None)` when a request's context ends, whatever happened."
    )
    before_websocket: RegistersBeforeWebsocket = _decorator(
        "before",
        "websocket",
        "Call `f()` before each websocket; a value that is not None refuses the handshake with it.",
    )
    after_websocket: RegistersAfterWebsocket = _decorator(
        "after",
        "websocket",
        "Call `f(response or None)` after each websocket; it returns the response or None.",
    )
    teardown_websocket: RegistersWebsocketTeardown = _decorator(
        "teardown", "websocket", "Call `f(error or None)` when a websocket's context ends, whatever happened."
    )

    get: RegistersRoute = _route_for("GET")
    post: RegistersRoute = _route_for("POST")
    put: RegistersRoute = _route_for("PUT")
    delete: RegistersRoute = _route_for("DELETE")
    patch: RegistersRoute = _route_for("PATCH")

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:
        self.import_name = import_name
        self.root_path = root_path if root_path is not None else find_root_path(import_name)
        self.template_folder = template_folder
        self._static_folder: str | None = None
        self._static_url_path: str | None = None
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        make_tables(self)

    def _changed(self) -> None:
        """Something was registered, or one of the public tables was changed."""

    def _functions(self, stage: str, kind: Kind) -> ObservedDict:
        """The rows of a stage ("before", "after", "teardown") and kind, by blueprint."""
        return getattr(self, f"{stage}_{kind.name}_funcs")  # type: ignore[no-any-return]

    def _check_function(self, function: Any, what: str) -> None:
        if not callable(function):
            raise TypeError(
                f"{what} takes a function, not {function!r}; use it as a decorator, without a call"
            )

    # Routes ---------------------------------------------------------------------------------------------------------

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        *,
        plugins_disabled: PluginNames = (),
        **options: Any,
    ) -> None:
        raise AssertionError("an app and a blueprint each add rules in their own way")

    def route(
        self, rule: str, *, plugins_disabled: PluginNames = (), **options: Any
    ) -> Callable[[T_route], T_route]:
        """Register the decorated view for `rule`; options go to `add_url_rule`."""
        if callable(rule):
            raise TypeError(f"route() needs the path: @route('/…'), not @route on {_place(rule)}")
        if plugins_disabled:  # not passed on for nothing: who overrides `add_url_rule` may not know it
            options["plugins_disabled"] = plugins_disabled

        def decorate(function: T_route) -> T_route:
            self.add_url_rule(rule, options.pop("endpoint", None), function, **options)
            return function

        return decorate

    def websocket(
        self, rule: str, *, plugins_disabled: PluginNames = (), **options: Any
    ) -> Callable[[T_websocket], T_websocket]:
        """Register the decorated view for websockets on `rule`.

        Beside a rule's options: `subprotocols=[…]` (in the server's order), `disconnect="raise" | "cancel"`, and
        `allowed_origins` in the place of WEBSOCKET_ALLOWED_ORIGINS.
        """
        if callable(rule):
            raise TypeError(f"websocket() needs the path: @websocket('/…'), not @websocket on {_place(rule)}")
        if plugins_disabled:
            options["plugins_disabled"] = plugins_disabled

        def decorate(function: T_websocket) -> T_websocket:
            self.add_websocket(rule, options.pop("endpoint", None), function, **options)
            return function

        return decorate

    def add_websocket(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *,
        plugins_disabled: PluginNames = (),
        **options: Any,
    ) -> None:
        """Register a websocket's view; `add_url_rule` for websockets."""
        if plugins_disabled:
            options["plugins_disabled"] = plugins_disabled
        self.add_url_rule(rule, endpoint, view_func, methods={"GET"}, websocket=True, **options)

    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Make the decorated function the view of an endpoint whose rule was added without one."""

        def decorate(function: F) -> F:
            self.view_functions[endpoint] = function
            return function

        return decorate

    # Errors and URL values --------------------------------------------------------------------------------------------

    def errorhandler(
        self, code_or_exception: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """Let the decorated function answer errors of a class, or HTTP errors of a status code."""
        exception_and_code(code_or_exception)

        def decorate(function: T_error_handler) -> T_error_handler:
            self.register_error_handler(code_or_exception, function)
            return function

        return decorate

    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: Callable[[Any], Any]
    ) -> None:
        class_, code = exception_and_code(code_or_exception)
        self._check_function(f, f"an error handler for {code_or_exception!r}")
        self.error_handler_spec[None][code][class_] = f

    def url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Call `f(endpoint, values)` before the before functions; it may change the values of the URL."""
        self._check_function(f, "url_value_preprocessor")
        self.url_value_preprocessors[None].append(f)
        return f

    def url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Call `f(endpoint, values)` when a URL is built; it may fill in values."""
        self._check_function(f, "url_defaults")
        self.url_default_functions[None].append(f)
        return f

    def context_processor(self, f: T_context_processor) -> T_context_processor:
        """Call `f()` for each template; it returns names for it, as a dict."""
        self._check_function(f, "context_processor")
        self.template_context_processors[None].append(f)
        return f

    # Files ----------------------------------------------------------------------------------------------------------

    @property
    def static_folder(self) -> str | None:
        """The folder of static files as an absolute path, or None."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, folder: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if folder is None else os.fspath(folder).rstrip(r"\/")

    @property
    def has_static_folder(self) -> bool:
        return self._static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL path of the static files; by default the name of their folder."""
        if self._static_url_path is not None:
            return self._static_url_path
        if self._static_folder is None:
            return None
        return f"/{os.path.basename(self._static_folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, path: str | None) -> None:
        self._static_url_path = None if path is None else path.rstrip("/")

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """How long a client may keep a static file, in seconds; None leaves it to conditional requests."""
        from .globals import current_app

        config = getattr(self, "config", None) or current_app.config  # the app's own, also outside of a context
        age = config["SEND_FILE_MAX_AGE_DEFAULT"]
        if age is None or isinstance(age, int):
            return age
        return int(age.total_seconds())

    async def send_static_file(self, filename: str) -> Response:
        """The response for a file of the static folder; 404 when there is none."""
        from .files import send_from_directory

        if self.static_folder is None:
            raise RuntimeError(f"{self.name!r} has no static folder; pass static_folder= to its constructor")
        return await send_from_directory(
            self.static_folder, filename, cache_timeout=self.get_send_file_max_age(filename)
        )

    def open_resource(self, path: FilePath, mode: str = "rb") -> Resource:
        """Open a file below the root path for reading: `async with app.open_resource("schema.sql") as file: …`."""
        return open_below(self.root_path, path, mode)

    @cached_property
    def jinja_loader(self) -> Any:
        """The loader of this app's or blueprint's own template folder, or None; may be assigned."""
        if self.template_folder is None:
            return None
        from .templating import folder_loader

        return folder_loader(os.path.join(self.root_path, os.fspath(self.template_folder)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"



def exception_and_code(code_or_exception: type[Exception] | int) -> tuple[type[Exception], int | None]:
    """The exception class and the status code that an error handler is registered for."""
    from werkzeug.exceptions import HTTPException, default_exceptions

    if isinstance(code_or_exception, int):
        try:
            class_: type[Any] = default_exceptions[code_or_exception]
        except KeyError:
            raise ValueError(
                f"{code_or_exception} is not the status code of an HTTP error; "
                "use the code of one (such as 404), or an exception class"
            ) from None
    else:
        class_ = code_or_exception
    if isinstance(class_, BaseException):
        raise TypeError(
            f"{class_!r} is an instance; an error handler is registered for a class or a status code"
        )
    if not (isinstance(class_, type) and issubclass(class_, Exception)):
        raise ValueError(f"{class_!r} is neither a subclass of Exception nor a status code")
    code: int | None = class_.code if issubclass(class_, HTTPException) else None
    return class_, code


def find_root_path(import_name: str) -> str:
    """The folder of a module or package, as an absolute path; the working directory for `__main__` in a shell."""
    import importlib.util

    module = sys.modules.get(import_name)
    file = getattr(module, "__file__", None)
    if file is not None:
        return os.path.dirname(os.path.abspath(str(file)))
    try:
        spec = importlib.util.find_spec(import_name)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin not in (None, "namespace", "built-in", "frozen"):
        return os.path.dirname(os.path.abspath(str(spec.origin)))
    if spec is not None and spec.submodule_search_locations:
        return os.path.abspath(next(iter(spec.submodule_search_locations)))
    return str(Path.cwd())


def _place(function: Any) -> str:
    code = getattr(function, "__code__", None)
    if code is None:
        return repr(function)
    return f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"


def describe_function(function: Any) -> str:
    """A function's name and place, for error messages."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return _place(function)
