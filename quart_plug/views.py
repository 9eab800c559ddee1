"""Views as classes: `View`, and `MethodView` with a method for each HTTP method.

    class Page(MethodView):
        async def get(self, id): ...
        async def post(self, id): ...

    app.add_url_rule("/page/<int:id>", view_func=Page.as_view("page"))

A view class may serve websockets too: a `View` in `dispatch_request`, a `MethodView` in `get`, since a
handshake is a GET request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, ClassVar

from .ctx import has_websocket_context
from .decorators import PluginNames
from .globals import current_app, request
from .typing import ResponseReturnValue, RouteCallable

__all__ = ["MethodView", "View", "current_app", "http_method_funcs", "request"]

http_method_funcs = frozenset(["get", "post", "head", "options", "delete", "put", "trace", "patch"])


class View:
    """A view as a class: `dispatch_request` is called with the values of the URL.

    methods                    the HTTP methods, for every rule that names none itself.
    provide_automatic_options  whether OPTIONS is answered for it; None leaves it to the app.
    plugins_disabled           the plugins, or hooks of them, that are switched off for its rules.
    decorators                 applied to the view function that `as_view` makes; the first one innermost.
    init_every_request         whether each request gets an instance of its own; False shares one, which
                               then must
                               keep nothing of a request on itself.
    """

    methods: ClassVar[Collection[str] | None] = None
    provide_automatic_options: ClassVar[bool | None] = None
    plugins_disabled: ClassVar[PluginNames] = ()
    decorators: ClassVar[list[Callable[..., Any]]] = []
    init_every_request: ClassVar[bool] = True

    def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue | Awaitable[ResponseReturnValue]:
        """Answer the request; a plain or a coroutine method."""
        raise NotImplementedError(f"{type(self).__name__} has to define dispatch_request()")

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Make a view function, whose endpoint is `name`; the arguments are for the class."""
        view: Any
        if cls.init_every_request:

            async def view(**kwargs: Any) -> Any:
                instance = view.view_class(*class_args, **class_kwargs)
                return await current_app.ensure_async(instance.dispatch_request)(**kwargs)

        else:
            shared = cls(*class_args, **class_kwargs)

            async def view(**kwargs: Any) -> Any:
                return await current_app.ensure_async(shared.dispatch_request)(**kwargs)

        for decorator in cls.decorators:
            _describe(view, cls, name)
            view = decorator(view)
        _describe(view, cls, name)
        # Attributes of the function, so that `add_url_rule` finds them whatever decorators made of it; the
        # class is looked up there, so that a test can exchange it.
        view.view_class = cls
        view.methods = cls.methods
        view.plugins_disabled = cls.plugins_disabled
        view.provide_automatic_options = cls.provide_automatic_options
        return view  # type: ignore[no-any-return]


def _describe(view: Any, cls: type[View], name: str) -> None:
    view.__name__ = name
    view.__module__ = cls.__module__
    view.__doc__ = cls.__doc__


class MethodView(View):
    """A view with a method for each HTTP method that it answers, from which `methods` is made.

    HEAD is answered by `get` where there is no `head`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods: set[str] = set()
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        methods.update(name.upper() for name in http_method_funcs if hasattr(cls, name))
        if methods:
            cls.methods = methods

    async def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue:
        method = "GET" if has_websocket_context() else request.method
        handler = getattr(self, method.lower(), None)
        if handler is None and method == "HEAD":
            handler = getattr(self, "get", None)
        if handler is None:
            raise AssertionError(
                f"{type(self).__name__} has no method {method.lower()}(), which its rule allows"
            )
        return await current_app.ensure_async(handler)(**kwargs)  # type: ignore[no-any-return]
