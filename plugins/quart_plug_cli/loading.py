"""From what the user wrote after --app to an application: import the module, find the app, call the factory.

Every failure says what was looked for, where, and what is there instead. An error in the user's own module is
shown as their traceback, from their first frame on.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO, Any

import click

from quart_plug import Quart
from quart_plug.config import ConfigFileError
from quart_plug.exceptions import PluginError

DEFAULT_FILES = ("wsgi.py", "app.py", "asgi.py", "main.py")
FACTORIES = ("create_app", "make_app")


class NoAppException(click.UsageError):
    """There is no application where one was looked for."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Error: {self.format_message()}", file=file, err=file is None)


class AppImportFailed(NoAppException):
    """The user's module raised; the error is `__cause__`."""

    exit_code = 1  # the command line was right


class SettingsFailed(NoAppException):
    """What the user's module asked of a configuration file or a plugin cannot be had; the text is enough."""

    exit_code = 1


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
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name is not None
        if missing and f"{module_name}.".startswith(f"{error.name}."):  # type: ignore[attr-defined]  # `missing` says it is an ImportError
            if not raise_if_not_found:
                return None
            raise NoAppException(_no_module(module_name)) from error
        if isinstance(error, (ConfigFileError, PluginError)):
            raise SettingsFailed(_with_place(error)) from error
        raise AppImportFailed(
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
        raise NoAppException(
            f"{module.__name__!r} has several applications: {_listed(apps)}; "
            f"say which with --app {module.__name__}:NAME"
        )
    for name in FACTORIES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            return _made(module, name, factory, (), {})
    other = getattr(module, "app", getattr(module, "application", None))
    if other is not None:
        raise NoAppException(_not_an_app(f"{module.__name__}:app", other))
    raise NoAppException(
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
        raise NoAppException(
            f"{module.__name__!r} ({_place(module)}) has no {name!r}{_did_you_mean(name, apps, known)}{there}"
        )
    found = getattr(module, name)
    if isinstance(found, Quart):
        return found  # also when it was written as a call, `app()`, as for a factory
    if called or inspect.isfunction(found):
        if not callable(found):
            raise NoAppException(f"{module.__name__}:{name} is not callable, so --app cannot be '{app_name}'")
        return _made(module, name, found, args, kwargs)
    raise NoAppException(_not_an_app(f"{module.__name__}:{name}", found))


def load_dotenv(path: str | os.PathLike[str] | None = None) -> bool:
    """Read variables from that file, or from `.env` and `.quartenv` here or above; those set already stay.

    Gives whether a file was read; False without python-dotenv, which is said when there is something to read.
    """
    try:
        dotenv = import_module("dotenv")
    except ImportError:
        if path or any(Path(name).is_file() for name in (".env", ".quartenv")):
            click.echo(
                " * There are .env files, which python-dotenv reads: pip install 'quart-plug[dotenv]'",
                err=True,
            )
        return False
    if path is not None:
        return os.path.isfile(path) and bool(dotenv.load_dotenv(path, encoding="utf-8"))
    loaded = False
    for name in (".env", ".quartenv"):
        found = dotenv.find_dotenv(name, usecwd=True)
        if found:
            dotenv.load_dotenv(found, encoding="utf-8")
            loaded = True
    return loaded


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
            raise NoAppException(
                f"the arguments in {text!r} have to be literal values, such as strings and numbers"
            ) from error
        return node.func.id, args, kwargs, True
    raise NoAppException(f"{text!r} is neither a name nor a call of a function by its name")


def _made(module: ModuleType, name: str, factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Quart:
    where = f"{module.__name__}:{name}"
    try:
        inspect.signature(factory).bind(*args, **kwargs)
    except TypeError as error:
        raise NoAppException(
            f"the factory {where}{inspect.signature(factory)} cannot be called like this: {error}; "
            f"give them as in --app \"{module.__name__}:{name}('value')\""
        ) from error
    except ValueError:
        pass  # a callable without a signature: the call itself will tell
    try:
        app = factory(*args, **kwargs)
    except (ConfigFileError, PluginError) as error:
        raise SettingsFailed(_with_place(error)) from error
    except Exception as error:
        raise AppImportFailed(f"the factory {where} raised:\n\n{own_traceback(error)}") from error
    if isinstance(app, Quart):
        return app
    raise NoAppException(_not_an_app(f"the factory {where}", app, "gave"))


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
