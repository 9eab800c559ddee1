"""What a command knows of the application it works for, and how it runs in the application's context.

`ScriptInfo` is the click context's `obj`. A command's function may be a plain or a coroutine function; a
plain one is called outside the loop, so it may use `asyncio.run` itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import threading
from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

import click

from quart_plug import Quart, current_app, has_app_context
from quart_plug.finding import loading
from quart_plug.helpers import get_debug_flag

from .loading import find_app

T = TypeVar("T")
P = ParamSpec("P")


class ScriptInfo:
    """How to find the application, and the application once it was loaded.

    app_import_path   what was given with --app; else the environment's QUART_PLUG_APP or QUART_APP is used.
    create_app        a function that makes the application; the path is then not used.
    set_debug_flag    whether debug mode is set from the environment, where that says something.
    data              for commands to share values.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Quart] | None = None,
        set_debug_flag: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.set_debug_flag = set_debug_flag
        self.data: dict[Any, Any] = {}
        self._loaded_app: Quart | None = None

    @property
    def is_made(self) -> bool:
        """Whether the application is made by the program, and not looked for by its name."""
        return self._loaded_app is not None or self.create_app is not None

    def load_app(self) -> Quart:
        """The application; loaded at the first call.

        Raises NoAppException, which says what is wrong.
        """
        if self._loaded_app is None:
            app = self._made() if self.create_app is not None else find_app(self.app_import_path)
            if self.set_debug_flag and (debug := debug_from_environment()) is not None:
                app.debug = debug
            self._loaded_app = app
        return self._loaded_app

    def _made(self) -> Quart:
        assert self.create_app is not None
        with loading():
            return self.create_app()


def debug_from_environment() -> bool | None:
    """QUART_PLUG_DEBUG or QUART_DEBUG as a truth, or None when neither is set."""
    said = "QUART_PLUG_DEBUG" in os.environ or "QUART_DEBUG" in os.environ
    return get_debug_flag() if said else None


def pass_script_info(f: Callable[Concatenate[Any, P], T]) -> Callable[P, T]:
    """Give the command's function the `ScriptInfo` as its first argument."""

    def new_func(*args: P.args, **kwargs: P.kwargs) -> T:
        context = click.get_current_context()
        return context.invoke(f, context.ensure_object(ScriptInfo), *args, **kwargs)

    return update_wrapper(new_func, f)


@overload
def with_appcontext(fn: Callable[..., Any]) -> Callable[..., Any]: ...
@overload
def with_appcontext(fn: None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
def with_appcontext(fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Call the command's function in an application context; a coroutine function is awaited."""
    if fn is None:
        return with_appcontext

    def decorator(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context()
        app = context.ensure_object(ScriptInfo).load_app()
        return in_app_context(app, context, lambda: context.invoke(fn, *args, **kwargs))

    return update_wrapper(decorator, fn)


def without_appcontext(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, or for a coroutine function one that runs it."""
    if not inspect.iscoroutinefunction(fn):
        return fn

    def run(*args: Any, **kwargs: Any) -> Any:
        return _outside_of_loops(click.get_current_context(), lambda: asyncio.run(fn(*args, **kwargs)))

    return update_wrapper(run, fn)


def in_app_context(app: Quart, context: click.Context, call: Callable[[], Any]) -> Any:
    """`call()` in a new context of the app, unless one is current; an awaitable result is awaited."""
    if has_app_context() and cast(Any, current_app)._get_current_object() is app:
        result = call()
        if not inspect.isawaitable(result):
            return result
        awaitable = result
        return _outside_of_loops(context, lambda: asyncio.run(_awaited(awaitable)))
    return _outside_of_loops(context, lambda: _in_new_context(app, call))


def _in_new_context(app: Quart, call: Callable[[], Any]) -> Any:
    # One contextvars.Context for the loop's steps and for the plain call between them.
    variables = contextvars.copy_context()
    with asyncio.Runner(debug=app.debug) as runner:
        app_context = app.app_context()
        runner.run(_awaited(app_context.push()), context=variables)
        failure: BaseException | None = None
        try:
            result = variables.run(call)
            if inspect.isawaitable(result):
                result = runner.run(_awaited(result), context=variables)
            return result
        except click.exceptions.Exit:
            raise
        except BaseException as error:
            failure = error
            raise
        finally:
            runner.run(_awaited(app_context.pop(failure)), context=variables)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _outside_of_loops(context: click.Context, call: Callable[[], Any]) -> Any:
    """`call()`, in a thread if this one has a running loop, as in a test that is a coroutine function."""
    if not _loop_runs():
        return call()
    outcome: list[Any] = []

    def work() -> None:
        try:
            with context.scope(cleanup=False):
                outcome.extend((True, call()))
        except BaseException as error:
            outcome.extend((False, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="command")
    thread.start()
    thread.join()
    succeeded, value = outcome
    if not succeeded:
        raise value
    return value
