"""From what the user wrote after --app to an application: import the module, find the app, call the factory.

Every failure says what was looked for, where, and what is there instead. An error in the user's own module is
shown as their traceback, from their first frame on. Must not know: command lines.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from .app import Quart
from .config import ConfigFileError
from .exceptions import PluginError

DEFAULT_FILES = ("wsgi.py", "app.py", "asgi.py", "main.py")
FACTORIES = ("create_app", "make_app")


class AppNotFound(Exception):
    """There is no application where one was looked for.

    exit_status  what a program ends with: 2 when what the user asked for makes no sense, 1 when it does not work.
    """

    exit_status = 2


class AppFailed(AppNotFound):
    """The user's module raised; the error is `__cause__`."""

    exit_status = 1


class AppSettingsFailed(AppNotFound):
    """What the user's module asked of a configuration file or a plugin cannot be had; the text is enough."""

    exit_status = 1


def said_in_environment(name: str) -> str | None:
    """QUART_PLUG_<name>, or else QUART_<name>, unless empty."""
    return os.environ.get(f"QUART_PLUG_{name}") or os.environ.get(f"QUART_{name}")


def find_app(path: str | None = None) -> Quart:
    """The application of an import path ("module:name", "module:factory('x')", a file), else of the environment's
    QUART_PLUG_APP or QUART_APP, else of one of `DEFAULT_FILES` here.

    Raises AppNotFound, which says what is wrong.
    """
    with loading():
        path = path or said_in_environment("APP")
        if path:
            # Not the colon of a Windows drive.
            module, _, name = re.sub(r":(?![\\/])", "\0", path, count=1).partition("\0")
            app = locate_app(prepare_import(module), name or None)
        else:
            app = _default()
    if app is None:
        raise AppNotFound(
            "no application: say where it is with --app MODULE:NAME (or QUART_PLUG_APP); without it, "
            f"{', '.join(DEFAULT_FILES)} are looked for in {os.getcwd()}"
        )
    return app


def _default() -> Quart | None:
    for path in DEFAULT_FILES:
        if os.path.isfile(path):
            app = locate_app(prepare_import(path), None, raise_if_not_found=False)
            if app is not None:
                return app
    return None


@contextmanager
def loading() -> Iterator[None]:
    """While an application is looked for, `app.run()` does nothing."""
    # A script that calls app.run() unguarded would otherwise serve here, and never return.
    os.environ["QUART_PLUG_LOADING_APP"] = "true"
    try:
        yield
    finally:
        os.environ.pop("QUART_PLUG_LOADING_APP", None)


def prepare_import(path: str) -> str:
    """Turn a file's path into a module's name; its top folder is put in `sys.path`."""
    real = os.path.realpath(path)
    if os.path.splitext(real)[1] == ".py":
        real = os.path.splitext(real)[0]
    if os.path.basename(real) == "__init__":
        real = os.path.dirname(real)
    names = []
    while True:
        real, name = os.path.split(real)
        names.append(name)
        if not os.path.exists(os.path.join(real, "__init__.py")):
            break
    if sys.path[:1] != [real]:
        sys.path.insert(0, real)
    return ".".join(reversed(names))


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> Quart | None:
    """The application of that name in the module, or the only sensible one when the name is None or empty.

    raise_if_not_found   False: None when there is no such module.
    """
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and f"{module_name}.".startswith(f"{missing}."):
            if not raise_if_not_found:
                return None
            raise AppNotFound(_no_module(module_name)) from error
        if isinstance(error, (ConfigFileError, PluginError)):
            raise AppSettingsFailed(_with_place(error)) from error
        raise AppFailed(
            f"{module_name!r} was found, but importing it failed:\n\n{own_traceback(error)}"
        ) from error
    return find_app_by_string(module, app_name) if app_name else find_best_app(module)


def find_best_app(module: ModuleType) -> Quart:
    """The module's `app` or `application`, its only application, or what its factory makes."""
    for name in ("app", "application"):
        found = getattr(module, name, None)
        if isinstance(found, Quart):
            return found
    apps = _apps(module)
    if len(apps) == 1:
        return next(iter(apps.values()))
    if apps:
        raise AppNotFound(
            f"{module.__name__!r} has several applications: {_listed(apps)}; "
            f"say which with --app {module.__name__}:NAME"
        )
    for name in FACTORIES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            return _made(module, name, factory, (), {})
    other = getattr(module, "app", getattr(module, "application", None))
    if other is not None:
        raise AppNotFound(_not_an_app(f"{module.__name__}:app", other))
    raise AppNotFound(
        f"{module.__name__!r} ({_place(module)}) has no application: neither a Quart instance nor a function "
        f"{' or '.join(FACTORIES)}; if it has another name, use --app {module.__name__}:NAME"
    )


def find_app_by_string(module: ModuleType, app_name: str) -> Quart:
    """The application for `app`, `factory` or `factory(arguments)`; arguments are literals."""
    name, args, kwargs, called = _parsed(app_name)
    if not hasattr(module, name):
        known = {key for key, value in vars(module).items() if not key.startswith("_")}
        apps = _apps(module)
        there = f"; its applications are {_listed(apps)}" if apps else ""
        raise AppNotFound(
            f"{module.__name__!r} ({_place(module)}) has no {name!r}{_did_you_mean(name, apps, known)}{there}"
        )
    found = getattr(module, name)
    if isinstance(found, Quart):
        return found  # also when it was written as a call, `app()`, as for a factory
    if called or inspect.isfunction(found):
        if not callable(found):
            raise AppNotFound(f"{module.__name__}:{name} is not callable, so --app cannot be '{app_name}'")
        return _made(module, name, found, args, kwargs)
    raise AppNotFound(_not_an_app(f"{module.__name__}:{name}", found))


def own_traceback(error: BaseException) -> str:
    """The traceback as text, from the user's first frame on."""
    lines = traceback.TracebackException(type(error), error, users_traceback(error)).format()
    return "".join(lines).rstrip()


def users_traceback(error: BaseException) -> TracebackType | None:
    """The part of the error's traceback that begins with the user's first frame."""
    tb: TracebackType | None = error.__traceback__
    while tb is not None and _is_machinery(tb.tb_frame.f_code.co_filename):
        tb = tb.tb_next
    return tb


def _with_place(error: BaseException) -> str:
    """The error's text, and the user's line that it comes from."""
    tb = users_traceback(error)
    place = "" if tb is None else f"\n  from {tb.tb_frame.f_code.co_filename}, line {tb.tb_lineno}"
    return f"{error}{place}"


def _is_machinery(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename in (__file__, inspect.getfile(import_module))


def _parsed(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any], bool]:
    """Name, arguments, and whether it was written as a call."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        node = None
    if isinstance(node, ast.Name):
        return node.id, (), {}, False
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        try:
            args = tuple(ast.literal_eval(argument) for argument in node.args)
            kwargs = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg is not None}
        except ValueError as error:
            raise AppNotFound(
                f"the arguments in {text!r} have to be literal values, such as strings and numbers"
            ) from error
        return node.func.id, args, kwargs, True
    raise AppNotFound(f"{text!r} is neither a name nor a call of a function by its name")


def _made(module: ModuleType, name: str, factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Quart:
    where = f"{module.__name__}:{name}"
    try:
        inspect.signature(factory).bind(*args, **kwargs)
    except TypeError as error:
        raise AppNotFound(
            f"the factory {where}{inspect.signature(factory)} cannot be called like this: {error}; "
            f"give them as in --app \"{module.__name__}:{name}('value')\""
        ) from error
    except ValueError:
        pass  # a callable without a signature: the call itself will tell
    try:
        app = factory(*args, **kwargs)
    except (ConfigFileError, PluginError) as error:
        raise AppSettingsFailed(_with_place(error)) from error
    except (Exception, SystemExit) as error:
        raise AppFailed(f"the factory {where} raised:\n\n{own_traceback(error)}") from error
    if isinstance(app, Quart):
        return app
    raise AppNotFound(_not_an_app(f"the factory {where}", app, "gave"))


def _apps(module: ModuleType) -> dict[str, Quart]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Quart)}


def _not_an_app(where: str, found: Any, verb: str = "is") -> str:
    kind = type(found)
    if any(base.__module__ == "quart.app" for base in kind.__mro__):
        return (
            f"{where} {verb} an application of the real Quart; import Quart from quart_plug, or let `quart` mean "
            "quart-plug: quart-plug --as-quart, or QUART_PLUG_AS_QUART=1 in the environment"
        )
    return (
        f"{where} {verb} a {kind.__module__}.{kind.__qualname__}, not a Quart application; "
        "name the Quart object itself, or run other ASGI apps with an ASGI server"
    )


def _no_module(name: str) -> str:
    here = Path.cwd()
    nearby = {path.stem if path.is_file() else path.name for path in here.iterdir() if _importable(path)}
    return f"there is no module {name!r}{_did_you_mean(name, nearby)}; looked in {here} and on the Python path"


def _importable(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _did_you_mean(name: str, *candidates: Iterable[str]) -> str:
    for names in candidates:
        close = difflib.get_close_matches(name, sorted(names), n=1)
        if close:
            return f" (did you mean {close[0]!r}?)"
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _place(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "no file"
