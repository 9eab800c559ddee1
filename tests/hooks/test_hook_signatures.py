"""A wrong hook signature is found twice: by mypy with quart-plug's plugin, and when the plugin is loaded.

`CASES` has one implementation after the other; mypy looks at all of them in one run, and each is loaded by itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from quart_plug import Quart
from quart_plug.exceptions import PluginHookError

HEADER = """
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping
from functools import wraps
from typing import Any, TypeVar

import quart_plug
from quart_plug import Quart, Response, hookimpl
from quart_plug.ctx import Context

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

def same(function: F) -> F:
    return function
"""


@dataclass
class Case:
    """code     what mypy says of the line with `# HERE` ("" nothing), with a part of the message after ": ".
    loading  a part of the error when the plugin is loaded; None when it loads.
    """

    name: str
    source: str
    code: str = ""
    loading: str | None = None


CASES = [
    # What is right
    Case("every argument", "@hookimpl\nasync def request_after(ctx: Context, response: Response) -> Response: ..."),
    Case("fewer arguments", "@hookimpl\ndef request_after(response: Response) -> None: ..."),
    Case("no arguments", "@hookimpl\ndef setup() -> None: ..."),
    Case("another order", "@hookimpl\ndef request_after(response: Response, ctx: Context) -> None: ..."),
    Case("by name", "@hookimpl\ndef request_after(*, response: Response) -> None: ..."),
    Case("by position only", "@hookimpl\ndef request_after(ctx: Context, response: Response, /) -> None: ..."),
    Case("what it does not need has a default", "@hookimpl\ndef setup(app: Quart, extra: int = 1) -> None: ..."),
    Case("the rest", "@hookimpl\ndef request_after(*args: Any, **rest: Any) -> None: ..."),
    Case("a wider argument", "@hookimpl\ndef setup(app: object) -> None: ..."),
    Case("a narrower result", "@hookimpl\ndef url_converters(app: Quart) -> dict[str, type]: return {}"),
    Case("plain in an async hook", "@hookimpl\ndef request_before(ctx: Context) -> str: return ''"),
    Case("an awaitable in an async hook", "@hookimpl\ndef request_after(ctx: Context) -> Awaitable[Response]: ..."),
    Case("a task in an async hook", "@hookimpl\ndef startup(app: Quart) -> asyncio.Task[None]: ..."),
    Case("a coroutine in an async hook", "@hookimpl\ndef startup() -> Coroutine[Any, Any, None] | None: ..."),
    Case("around", "@hookimpl\nasync def connection(ctx: Context) -> AsyncGenerator[None, Any]:\n    yield"),
    Case("around, as an iterator", "@hookimpl\nasync def connection(ctx: Context) -> AsyncIterator[None]:\n    yield"),
    Case("around, what comes back", "@hookimpl\nasync def connection() -> AsyncGenerator[None, int]:\n    yield"),
    Case("any type", "@hookimpl\ndef setup(app: T) -> None: ..."),
    Case("under another name", "@hookimpl(specname='setup')\ndef prepare(app: Quart) -> None: ..."),
    Case("another decorator", "@hookimpl\n@same\ndef setup(app: Quart) -> None: ..."),
    Case("with the module's name", "@quart_plug.hookimpl\ndef setup(app: Quart) -> None: ..."),
    Case(
        "a hook that may be absent",
        "@hookimpl(optionalhook=True)\ndef of_another(thing: int) -> None: ...\n"
        "@hookimpl\ndef setup() -> None: ...",
    ),
    Case("without annotations", "@hookimpl\nasync def request_after(ctx, response):\n    return 1"),
    # The hook
    Case(
        "unknown hook",
        "@hookimpl\ndef request_befor(ctx: Context) -> None: ...  # HERE",
        'hook-name: There is no hook "request_befor" (did you mean "request_before"?)',
        "there is no hook 'request_befor' (did you mean 'request_before'?)",
    ),
    Case(
        "unknown hook without annotations",
        "@hookimpl\nasync def request_befor(ctx): ...  # HERE",
        "hook-name: request_before",
        "request_before",
    ),
    Case(
        "unknown hook under another name",
        "@hookimpl(specname='setupp')\ndef prepare(app: Quart) -> None: ...  # HERE",
        'hook-name: There is no hook "setupp" (did you mean "setup"?)',
        "there is no hook 'setupp' (did you mean 'setup'?)",
    ),
    # Arguments
    Case(
        "unknown argument",
        "@hookimpl\nasync def request_before(context: Context) -> None: ...  # HERE",
        'hook-argument: Hook "request_before" has no argument "context" (did you mean "ctx"?); it gives ctx',
        "'request_before' has no argument 'context'",
    ),
    Case(
        "unknown argument without annotations",
        "@hookimpl\nasync def request_after(ctx, respons): ...  # HERE",
        'hook-argument: has no argument "respons" (did you mean "response"?); it gives ctx, response',
        "has no argument 'respons' (did you mean 'response'?); it gives ctx, response",
    ),
    Case(
        "unknown argument by name",
        "@hookimpl(tryfirst=True)\nasync def request_before(*, cts: Context) -> None: ...  # HERE",
        'hook-argument: has no argument "cts"',
        "has no argument 'cts'",
    ),
    Case(
        "unknown argument by position",
        "@hookimpl\nasync def request_before(cts: Context, /) -> None: ...  # HERE",
        'hook-argument: has no argument "cts"',
        "has no argument 'cts'",
    ),
    Case(
        "an argument's type",
        "@hookimpl\nasync def request_after(ctx: Context, response: str) -> None: ...  # HERE",
        'hook-argument: Argument "response" of hook "request_after" is "Response", not "str"',
    ),
    Case(
        "a narrower argument",
        "@hookimpl\nasync def websocket_sent(message: str) -> None: ...  # HERE",
        'hook-argument: Argument "message" of hook "websocket_sent" is "str | bytes", not "str"',
    ),
    # Results
    Case(
        "result of collect",
        "@hookimpl\ndef url_converters(app: Quart) -> list[int]: return []  # HERE",
        'hook-result: Hook "url_converters" takes "Mapping[str, type] | None" as a result, not "list[int]"',
    ),
    Case(
        "result of first",
        "@hookimpl\ndef json_provider(app: Quart) -> int: return 1  # HERE",
        'hook-result: Hook "json_provider" takes "JSONProvider | None" as a result, not "int"',
    ),
    Case(
        "result of pipe",
        "@hookimpl\nasync def request_after(response: Response) -> str: return ''  # HERE",
        'hook-result: Hook "request_after" takes "Response | None" as a result, not "str"',
    ),
    Case(
        "result of pipe, in an awaitable",
        "@hookimpl\ndef request_after(response: Response) -> Awaitable[str]: ...  # HERE",
        'hook-result: Hook "request_after" takes "Response | None" as a result, not "str"',
    ),
    Case(
        "result of notify",
        "@hookimpl\nasync def startup(app: Quart) -> int: return 1  # HERE",
        'hook-result: Hook "startup" is of kind notify: nobody takes its result "int"; return None',
    ),
    Case(
        "what around yields",
        "@hookimpl\nasync def lifespan(app: Quart) -> AsyncGenerator[int, None]:  # HERE\n    yield 1",
        'hook-result: Hook "lifespan" is of kind around: nobody takes what it yields, "int"; write `yield` alone',
    ),
    Case(
        "what around is given",
        "@hookimpl\nasync def lifespan(app: Quart) -> AsyncGenerator[None, int]:  # HERE\n    yield",
        'hook-result: The `yield` of hook "lifespan" gives "None", not "int"',
    ),
    # Colours
    Case(
        "async in a sync hook",
        "@hookimpl\nasync def setup(app: Quart) -> None: ...  # HERE",
        'hook-colour: Hook "setup" is a sync hook, called from code that cannot await: write `def`, not `async def`',
        "'setup' is a sync hook, called from code that cannot await: write `def`, not `async def`",
    ),
    Case(
        "async in a sync hook, without annotations",
        "@hookimpl\nasync def setup(app): ...  # HERE",
        "hook-colour: is a sync hook",
        "is a sync hook",
    ),
    Case(
        "an awaitable in a sync hook",
        "@hookimpl\ndef json_provider(app: Quart) -> Awaitable[Any]: ...  # HERE",
        'hook-colour: "Awaitable[Any]" as a result would never be awaited',
    ),
    Case(
        "around without a yield",
        "@hookimpl\nasync def connection(ctx: Context) -> None: ...  # HERE",
        'hook-colour: Hook "connection" is of kind around: write an `async def` with exactly one `yield`',
        "'connection' is a hook of kind around: write an `async def` with exactly one `yield`",
    ),
    Case(
        "around as a plain generator",
        "@hookimpl\ndef connection(ctx: Context) -> Generator[None, None, None]:  # HERE\n    yield",
        "hook-colour: of kind around",
        "of kind around",
    ),
    Case(
        "a yield elsewhere",
        "@hookimpl\nasync def request_before(ctx: Context) -> AsyncGenerator[None, None]:  # HERE\n    yield",
        'hook-colour: Hook "request_before" is of kind first: a function with `yield` would never run',
        "'request_before' is a hook of kind first: a function with `yield` would never run",
    ),
    Case(
        "a yield elsewhere, without annotations",
        "@hookimpl\ndef setup(app):  # HERE\n    yield",
        "hook-colour: a function with `yield` would never run",
        "a function with `yield` would never run",
    ),
]


def module_of(case: Case) -> ModuleType:
    module = ModuleType(case.name)
    exec(HEADER + case.source, module.__dict__)
    return module


def class_of(case: Case, static: bool = False) -> str:
    """The case as a method of a class."""
    source = case.source
    if static:
        source = re.sub(r"(?m)^(@.*hookimpl)", r"@staticmethod\n\1", source)
    elif "def " in source:
        source = re.sub(r"(def \w+)\(", r"\1(self, ", source).replace("(self, )", "(self)")
    return "class Plugin:\n" + "".join(f"    {line}\n" for line in source.splitlines())


@pytest.mark.parametrize("form", ["module", "object", "object with staticmethods"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_at_loading(case: Case, form: str) -> None:
    module = module_of(case)
    plugin: object = module
    if form != "module":
        exec(HEADER + class_of(case, "static" in form), module.__dict__)
        plugin = module.Plugin()
    hooks = Quart(__name__).hooks
    if case.loading is None:
        assert hooks.register(plugin, "it") == "it"
        return
    with pytest.raises(PluginHookError) as raised:
        hooks.register(plugin, "it")
    assert case.loading in str(raised.value)
    assert not hooks.is_active("it")


def test_a_class_instead_of_an_object_of_it() -> None:
    module = module_of(CASES[0])
    exec(HEADER + class_of(CASES[0]), module.__dict__)
    with pytest.raises(PluginHookError, match=r"'self'.*an object of the class, `Plugin\(\)`"):
        Quart(__name__).hooks.register(module.Plugin, "it")


# mypy ---------------------------------------------------------------------------------------------------------------

INI = """
[mypy]
plugins = quart_plug.mypy_plugin
check_untyped_defs = true

[quart-plug-mypy]
hookspecs = rooms.specs
"""

FILES = {
    "mypy.ini": INI,
    "rooms/__init__.py": "",
    "rooms/specs.py": """
from quart_plug import hookspec

class Room: ...

@hookspec(kind="notify", colour="sync")
def room_opened(room: Room) -> None: ...
""",
    # Named in the configuration
    "guests.py": """
from quart_plug import hookimpl
from rooms.specs import Room

@hookimpl
def room_opened(room: Room) -> None: ...

class Wrong:
    @hookimpl(specname="room_opened")
    async def opened(self, room: Room) -> None: ...  # HERE hook-colour: is a sync hook

    @hookimpl
    def room_opened(self, room: str) -> None: ...  # HERE hook-argument: is "Room", not "str"

    @hookimpl
    def room_openend(self, room: Room) -> None: ...  # HERE hook-name: (did you mean "room_opened"?)
""",
    # A hook of an installed plugin
    "panels.py": """
from quart_plug import Quart, hookimpl

@hookimpl
def inspector_panels(app: Quart) -> int:  # HERE hook-result: takes "Panel | Mapping[str, Any] | None"
    return 1
""",
    # A plugin of the project that this one requires
    "doors.py": """
from quart_plug import hookspec
import door_specs as specs

__quart_plug__ = {"hookspecs": [specs]}
""",
    "door_specs.py": """
from quart_plug import hookspec

@hookspec(kind="first")
async def door_opens(number: int) -> bool | None: ...
""",
    "keys.py": """
import doors
from quart_plug import hookimpl

__quart_plug__ = {"requires": ["doors", "sessions"]}

@hookimpl
async def door_opens(number: int) -> str | None:  # HERE hook-result: takes "bool | None" as a result
    return None

class Wrong:
    @hookimpl
    async def door_open(self, number: int) -> bool | None:  # HERE hook-name: (did you mean "door_opens"?)
        return True
""",
    # A plugin that implements its own hooks, which nobody else names
    "counters.py": """
from quart_plug import hookimpl, hookspec

class Specs:
    @hookspec(kind="collect", colour="sync")
    def counted(self, what: str) -> int | None: ...

__quart_plug__ = {"hookspecs": [Specs]}

@hookimpl
def counted(what: str) -> int:
    return 1

class Wrong:
    @hookimpl
    def counted(self, what: str) -> str:  # HERE hook-result: takes "int | None" as a result, not "str"
        return what
""",
}


def program(form: str) -> str:
    """All cases in one file, each in a function or class of its own."""
    parts = [HEADER]
    for number, case in enumerate(CASES):
        marked = case.source.replace("# HERE", f"# HERE {case.code}")
        assert ("# HERE" in case.source) == bool(case.code)
        if form == "functions":
            inside = "".join(f"    {line}\n" for line in marked.splitlines())
            parts.append(f"def case_{number}() -> None:\n{inside}")
        else:
            changed = Case(case.name, marked)
            parts.append(class_of(changed, form == "static").replace("class Plugin", f"class Case{number}"))
    return "\n".join(parts)


def expected(files: dict[str, str]) -> list[tuple[str, int, str, str]]:
    found = []
    for name, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if "# HERE " in line:
                code, _, message = line.partition("# HERE ")[2].partition(": ")
                found.append((name, number, code, message))
    return sorted(found)


def run_mypy(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", *arguments],
        cwd=folder, env={**os.environ, "MYPY_CACHE_DIR": str(folder / "cache")}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def differences(said: str, files: dict[str, str]) -> str:
    """What mypy says and should not, and what it does not say and should."""
    left = expected(files)
    wrong = []
    for line in said.splitlines():
        match = re.fullmatch(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<message>.*)  \[(?P<code>[\w-]+)\]", line)
        if match is None:
            wrong.append(line)
        elif match["code"] != "empty-body":  # `...` as the body of a function with a result
            here = [e for e in left if e[:3] == (match["file"], int(match["line"]), match["code"])]
            here = [e for e in here if e[3] in match["message"]]
            if here:
                left.remove(here[0])
            else:
                wrong.append(line)
    return "\n".join([*wrong, *(f"not found: {item}" for item in left)])


def test_with_mypy(tmp_path: Path) -> None:
    """Also with a warm cache, when only the file with the implementations has changed."""
    files = FILES | {f"{form}.py": program(form) for form in ("functions", "methods", "static")}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert differences(run_mypy(tmp_path, "."), files) == ""
    for name in ("guests.py", "counters.py", "methods.py"):
        files[name] = f"# changed\n{files[name]}"
        (tmp_path / name).write_text(files[name])
    assert differences(run_mypy(tmp_path, "."), files) == ""


def test_a_wrong_setting_of_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(INI.replace("rooms.specs", "nowhere.specs"))
    said = run_mypy(tmp_path, "-c", "")
    assert "the module 'nowhere.specs', in hookspecs of [quart-plug-mypy], is not installed, nor is it in" in said
