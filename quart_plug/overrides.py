"""Which public steps of an app are overridden, and how an override is called.

A step can be replaced in a subclass, on the class and on the instance, with Quart 0.22's signature
(`finalize_request(self, result, request_context=None, from_error_handler=False)`) or with 0.23's
(`finalize_request(self, ctx, result, from_error_handler=False)`). Whatever the form, the lifecycle calls it as
`step(ctx, *values)`, and a subclass's method can be called in the other form too.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .ctx import Context
from .globals import _cv

if TYPE_CHECKING:
    from .app import Quart

# The arguments of each step in 0.22's order; 0.23 has `ctx` first. A step without "ctx" never gets the context in 0.22.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "full_dispatch": ("ctx",),
    "preprocess": ("ctx",),
    "dispatch": ("ctx",),
    "finalize": ("result", "ctx", "from_error_handler"),
    "make_response": ("result",),
    "process": ("response", "ctx"),
    "handle_exception": ("error",),
    "handle_user_exception": ("error",),
    "handle_http_exception": ("error",),
    "teardown": ("exc", "ctx"),
    "teardown_app": ("exc",),
    "log_exception": ("exception_info",),
    "make_default_options_response": (),
    "update_template_context": ("context",),
    "handle_background_exception": ("error",),
}

_CONTEXT_NAMES = {"ctx", "app_ctx", "app_context", "request_ctx", "websocket_ctx"}

_DEFAULTS: set[Any] = set()  # the functions that are the default steps; filled by steps.py


def default_step(function: Any) -> Any:
    """Remember a public method as the default of its step."""
    _DEFAULTS.add(function)
    return function


def override_of(app: Quart, name: str) -> Callable[..., Any] | None:
    """The bound override of a public method, or None when the app has the default."""
    if name in app.__dict__:
        return getattr(app, name)  # type: ignore[no-any-return]
    for class_ in type(app).__mro__:
        if name in class_.__dict__:
            return None if _is_default(class_.__dict__[name]) else getattr(app, name)
    return None


def _is_default(function: Any) -> bool:
    try:
        return function in _DEFAULTS
    except TypeError:  # an unhashable callable is nobody's default
        return False


def adapt(bound: Callable[..., Any], step: str) -> Callable[..., Any]:
    """A function `(ctx, *values)` that calls the override in the form it was written in."""
    if _is_default(getattr(bound, "__func__", None)):
        return bound  # it takes both forms
    arguments = ARGUMENTS[step]
    values = tuple(name for name in arguments if name != "ctx")
    positional, variadic = _positional(bound)
    if step != "make_response" and _wants_context_first(positional, variadic, arguments):
        return lambda ctx, *given: bound(ctx, *given)
    limit = len(arguments) if variadic else min(len(positional), len(arguments))
    order = [-1 if name == "ctx" else values.index(name) for name in arguments][:limit]

    def call(ctx: Any, *given: Any) -> Any:
        return bound(*[ctx if index < 0 else given[index] for index in order if index < len(given)])

    return call


def in_either_form(function: Any, step: str, context: str) -> Any:
    """A subclass's method, written in 0.22's form or in 0.23's, that can be called in the other form as well.

    context  0.22's name for the context. What is called in the method's own form is passed on as it is.
    """
    arguments = ARGUMENTS[step]
    positional, variadic = _positional(function)
    positional = positional[1:]  # without self
    context_first = _wants_context_first(positional, variadic, arguments)

    def arrange(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        called_with_it_first = bool(args) and isinstance(args[0], Context)
        if called_with_it_first == context_first or "ctx" in kwargs:
            return args, kwargs
        if context_first:
            ctx = kwargs.pop(context, None) or next((each for each in args if isinstance(each, Context)), None)
            return (ctx or _cv.get(), *(each for each in args if each is not ctx)), kwargs
        given = list(args[1:])
        if "ctx" in arguments and len(positional) > (place := arguments.index("ctx")):
            given.insert(place, args[0])
        return tuple(given), kwargs

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = arrange(args, kwargs)
            return await function(self, *args, **kwargs)

    else:

        @wraps(function)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = arrange(args, kwargs)
            return function(self, *args, **kwargs)

    return call


def complete_overrides(class_: type, methods: Mapping[str, tuple[str, str]]) -> None:
    """Let the steps that a class overrides be called in either form.

    methods  the public method's name -> its step, and 0.22's name for its context.
    """
    for name, (step, context) in methods.items():
        function = vars(class_).get(name)
        if isinstance(function, FunctionType) and not _is_default(function):
            setattr(class_, name, in_either_form(function, step, context))


def adapt_async(bound: Callable[..., Any], step: str) -> Callable[..., Awaitable[Any]]:
    """Like `adapt`, for steps that are coroutine functions; a plain function as override is taken as well."""
    call = adapt(bound, step)

    async def awaited(ctx: Any, *given: Any) -> Any:
        result = call(ctx, *given)
        if hasattr(result, "__await__"):
            result = await result
        return result

    return awaited


def _positional(bound: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    try:
        parameters = list(inspect.signature(bound).parameters.values())
    except (TypeError, ValueError):
        return [], True
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return (
        [parameter for parameter in parameters if parameter.kind in kinds],
        any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters),
    )


def _wants_context_first(positional: list[inspect.Parameter], variadic: bool, arguments: tuple[str, ...]) -> bool:
    if not positional:
        return False
    if len(positional) == 1 and not variadic and arguments not in ((), ("ctx",)):
        return False  # there is no room for a value behind the context
    first = positional[0]
    if first.name in _CONTEXT_NAMES or "AppContext" in str(first.annotation):
        return True
    # 0.22 requires at most one value; an override that requires two has the context in front.
    required = [parameter for parameter in positional if parameter.default is inspect.Parameter.empty]
    return len(required) > 1 and arguments != ("ctx",)
