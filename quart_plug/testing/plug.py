"""`Plug`: apps with exactly these plugins, for the tests of plugins; the fixture `plug` of pytest's is one.

Nothing of the developer's own settings reaches these apps: no plugin that the environment or the project's
pyproject.toml enables, no configuration of theirs. What is changed in the process is put back at the end, and what the
plugins left behind is an error.

Composes `blocking` (modules), `spying` (hooks) and `leaks`. Must not know: pytest.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from ..exceptions import PluginError
from ..hooks import discovery, hookimpl, settings
from ..hooks.relations import DECLARATION
from ..hooks.selection import CORE
from ..hooks.suggestions import did_you_mean
from .blocking import Modules, no_bytecode, not_a_module, top_of
from .client import QuartClient
from .leaks import LeakError, LeakKind, Leaks
from .spying import Spy

if TYPE_CHECKING:
    from typing import Self

    from ..app import Quart

_SELECTING = re.compile(r"QUART_PLUG_(PLUGINS|DISABLE|SAFE_MODE|\w+__\w+)")
_PHASE = "PYTEST_CURRENT_TEST"


class Plug:
    """Makes apps with exactly these plugins: `app = plug("timing", config={"TIMING_HEADER": "x-time"})`.

        with Plug() as plug:
            app = plug("timing")

    make_folder  makes the empty folder in which the apps live; by default a temporary one, removed at the end.
    """

    __test__ = False

    def __init__(self, *, make_folder: Callable[[], Path] | None = None) -> None:
        self._make_folder = make_folder
        self._folder: Path | None = None
        self._temporary: Path | None = None
        self._modules = Modules()
        self._environment: dict[str, str | None] = {}
        self._developers: dict[str, str] = {}
        self._turned_off: list[str] = []
        self._made: list[tuple[Quart, tuple[Any, ...], dict[str, Any]]] = []
        self._leaks: Leaks | None = None

    # From beginning to end

    def __enter__(self) -> Self:
        if self._leaks is not None:
            raise RuntimeError("this Plug is in use already; make another one: Plug()")
        self._leaks = Leaks()
        self._developers = {key: value for key, value in os.environ.items() if _SELECTING.fullmatch(key)}
        for key in self._developers:
            del os.environ[key]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()
        if error is None:
            self.check()

    @contextmanager
    def until_the_end(self) -> Iterator[Self]:
        """Enter and close, without looking for leaks yet: others may still have to take back theirs."""
        self.__enter__()
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """Put back what was changed in the process: modules, environment, `sys.path`."""
        self._in_use().close()
        self._modules.restore()
        self._set_environment({})
        os.environ.update(self._developers)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def check(self) -> None:
        """Raise LeakError (an AssertionError) when something was left behind: see `allow_leaks` for the kinds."""
        found = self._in_use().found()
        if found:
            raise LeakError("the test left something behind:" + "".join(f"\n  - {line}" for line in found))

    def allow_leaks(self, *kinds: LeakKind) -> None:
        """Do not look for these kinds of leaks in this test: "tasks", "contexts", "threads", "receivers" (of
        signals), "methods" (replaced for every app), "modules" (blocked), "environment", "warnings" (filters).
        """
        self._in_use().allow(kinds)

    def _in_use(self) -> Leaks:
        if self._leaks is None:
            raise RuntimeError("this Plug is not in use yet; enter it first: `with Plug() as plug:`")
        return self._leaks

    # Apps

    def __call__(
        self,
        *plugins: Any,
        core: bool | Iterable[str] = True,
        disable: Iterable[str] = (),
        config: Mapping[str, Any] | None = None,
        plugin_config: Mapping[str, Mapping[str, Any]] | None = None,
        environ: Mapping[str, str | None] | None = None,
        set_up: bool = True,
        import_name: str = "plug",
        app_class: type[Quart] | None = None,
        **options: Any,
    ) -> Quart:
        """Make an app with exactly these plugins beside the core ones, and set it up.

        plugins   names of installed plugins, `distribution:name`, import strings, modules or objects.
        core      the core plugins: all, none (False), or those of these names.
        disable   plugins to turn off.
        config    for the app's configuration, before anything is set up.
        plugin_config  the plugins' own configuration, {plugin: {key: value}}: what `[plugins.NAME]` has in a file.
        environ   environment variables for this app; None takes one away. They are those of the app made last.
        set_up    False leaves the plugins' set-up to the first need, as an application does.
        app_class  the application's class, where it is one of its own.
        options   the other arguments of `Quart`. With `root_path=…` the app lives there, and the pyproject.toml that
                  belongs to that folder counts; without it the app lives in the folder `plug.folder`.

        Raises what is wrong with the plugins, as an application's start would.
        """
        from ..app import Quart

        leaks = self._in_use()
        kept = set(CORE) if core is True else {core_ for core_ in (core or ()) if isinstance(core_, str)}
        unknown = [f"{name!r}{did_you_mean(name, CORE)}" for name in sorted(kept - set(CORE))]
        if unknown:
            raise ValueError(f"core={core!r}: no core plugin is called {', '.join(unknown)}")
        arguments = {
            "core": core, "disable": tuple(disable), "config": config, "plugin_config": plugin_config,
            "environ": environ, "set_up": set_up, "import_name": import_name,
            "app_class": app_class, **options,
        }  # fmt: skip
        self._set_environment(environ or {})
        options.setdefault("root_path", str(self._home()))
        app = (app_class or Quart)(import_name, plugins=plugins, **options)
        off = [*disable, *self._turned_off, *(name for name in CORE if name not in kept and name not in plugins)]
        app.plugin_hooks._code = settings.code_level(plugins, list(dict.fromkeys(off)), None)
        app.config.update(config or {})
        if plugin_config:
            before = app.config["PLUGIN_CONFIG"]
            app.config["PLUGIN_CONFIG"] = {**before, **{name: dict(values) for name, values in plugin_config.items()}}
        app.test_client_class = self._client_class()
        leaks.watch_app(app)
        self._see_loop()
        self._made.append((app, plugins, arguments))
        if self._modules.blocked:
            self._import_anew(plugins, kept)
        if set_up:
            with no_bytecode(), leaks.watch_warnings("when the plugins were set up"):
                app.setup_plugins()
        return app

    @property
    def app(self) -> Quart:
        """The app that was made last."""
        if not self._made:
            raise RuntimeError("no app was made yet; make one first: `app = plug(…)`")
        return self._made[-1][0]

    @property
    def folder(self) -> Path:
        """The folder in which the apps live. Modules in it can be imported, and its pyproject.toml (which is empty)
        is the project's.
        """
        folder = self._home()
        self._modules.add_folder(folder)
        return folder

    def _home(self) -> Path:
        """The folder; not on `sys.path` before somebody asks for it, since all metadata is read anew then."""
        if self._folder is None:
            if self._make_folder is None:
                self._folder = self._temporary = Path(tempfile.mkdtemp(prefix="plug-"))
            else:
                self._folder = self._make_folder()
            (self._folder / "pyproject.toml").touch()
        return self._folder

    def fails(self, *plugins: Any, match: str | None = None, **arguments: Any) -> PluginError:
        """Make an app as `plug(…)` does, and give the error that its set-up has to raise.

        match  a regular expression that has to be found in the error's message.

        AssertionError when nothing fails, or with another message.
        """
        try:
            app = self(*plugins, **arguments)
            app.setup_plugins()
        except PluginError as error:
            if match is not None and not re.search(match, str(error)):
                raise AssertionError(f"{match!r} is not in the error's message:\n{error}") from error
            return error
        raise AssertionError(f"nothing failed; active are {', '.join(app.plugin_hooks.names) or 'no plugins'}")

    def reload(self, app: Quart | None = None, **changes: Any) -> Quart:
        """Make an app anew, of the plugins as they are now: their modules are imported again.

        app      which one; by default the one that was made last.
        changes  arguments of `plug(…)` that are different now, such as `environ`.

        A plugin that was given as an object stays that object.
        """
        app = self._app(app)
        plugins, arguments = next((p, a) for made, p, a in self._made if made is app)
        self._import_anew(plugins, ())
        anew = [
            sys.modules.get(item.__name__) or self._import(item.__name__) if isinstance(item, ModuleType) else item
            for item in plugins
        ]
        return self(*anew, **(arguments | changes))

    @asynccontextmanager
    async def serving(self, app: Quart | None = None) -> AsyncIterator[QuartClient]:
        """Start the app, give a client of it, and shut it down at the end of the block."""
        app, leaks = self._app(app), self._in_use()
        self._see_loop()
        before = asyncio.all_tasks()
        running = app.test_app()
        with leaks.watch_warnings("at start-up"):
            await running.startup()
        try:
            yield running.test_client()
        except BaseException as error:
            try:
                await running.shutdown()
            except Exception as second:
                error.add_note(f"The app's shutdown failed as well: {type(second).__name__}: {second}")
            raise
        await running.shutdown()
        if not self._is_within_test():  # in a test one sees at its end
            leaks.note_tasks_since(before)

    # What plugins are made of

    def plugin(
        self,
        name: str,
        /,
        *,
        declares: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        **hooks: Callable[..., Any],
    ) -> Any:
        """Make a plugin of functions: `plug.plugin("early", request_before=answer, options={"tryfirst": True})`.

        declares  what a plugin says in `__quart_plug__`: requires, before, after, …
        options   of `hookimpl`, for all functions.
        """
        made = ModuleType(name)
        setattr(made, DECLARATION, {**(declares or {}), "name": name})
        for hook, function in hooks.items():
            setattr(made, hook, hookimpl(**(options or {}))(_copy(function)))
        return made

    def file(self, path: str, source: str) -> Path:
        """Write a file into the folder `plug.folder`; a module there can be enabled by its name."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
        return file

    # What one looks at

    def order(self, hook: str, app: Quart | None = None) -> list[str]:
        """The names of the plugins that the hook calls, in call order."""
        manager = self._app(app).plugin_hooks
        found = type(manager).implementations(manager, hook)
        return [implementation.plugin for implementation in found if implementation.is_wanted()]

    def spy(self, hook: str, app: Quart | None = None) -> Spy:
        """Record the calls of a hook from now on; see `Spy`."""
        return Spy(self._app(app).plugin_hooks, hook)

    # What is missing

    def block(self, *modules: str, plugin: str | None = None) -> None:
        """From now on the import of these modules fails as if they were not installed, to see what a plugin does
        without an extra of its own. Plugins named in `plug(…)` are imported anew.

        plugin  a plugin that is turned off in every app made from now on.
        """
        self._in_use()
        for name in modules:
            if not isinstance(name, str) or not name:
                not_a_module(name)
            if top_of(name) == "quart_plug":
                raise ValueError(f"{name!r} cannot be blocked: without it there are no apps")
        if modules:
            self._modules.block(modules)
        if plugin is not None:
            self._turned_off.append(plugin)

    # Parts of these

    def _app(self, app: Quart | None) -> Quart:
        return self.app if app is None else app

    def _import_anew(self, plugins: Iterable[Any], core: Iterable[str]) -> None:
        """Forget the modules of these plugins; of core ones when they keep something of a blocked module."""
        records = discovery.discover().records
        users = self._modules.users_of_blocked() if self._modules.blocked else set()
        tops = set()
        for item in plugins:
            if isinstance(item, ModuleType):
                if item.__name__ in sys.modules and not self._modules.blocked:
                    tops.add(top_of(item.__name__))
            elif isinstance(item, str):
                found = [record for record in records if item in (record.name, record.qualified)]
                tops |= {top_of(record.reference.partition(":")[0]) for record in found}
                if not found:
                    tops.add(top_of(item.partition(":")[0]))
        for record in records:
            top = top_of(record.reference.partition(":")[0])
            if record.name in core and top in users:
                tops.add(top)
        tops.discard("quart_plug")
        self._modules.remember(tops)
        self._modules.forget_packages(tops)

    @staticmethod
    def _import(name: str) -> Any:
        with no_bytecode():
            return discovery.import_reference(name)

    def _set_environment(self, variables: Mapping[str, str | None]) -> None:
        for key, value in self._environment.items():
            _put(key, value)
        self._environment = {key: os.environ.get(key) for key in variables}
        for key, value in variables.items():
            _put(key, value)

    def _client_class(self) -> type[QuartClient]:
        see_loop = self._see_loop

        class Client(QuartClient):
            def _set_up(self, connection: Any) -> None:
                see_loop()
                super()._set_up(connection)

        Client.__name__ = Client.__qualname__ = QuartClient.__name__
        return Client

    def _see_loop(self) -> None:
        self._in_use().watch_tasks(self._is_within_test())

    @staticmethod
    def _is_within_test() -> bool:
        """Whether this is a test's own body, and no fixture. Without a test runner it never is."""
        return os.environ.get(_PHASE, "").endswith("(call)")


def _put(key: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(key, None)
    else:
        os.environ[key] = value


def _copy(function: Callable[..., Any]) -> Callable[..., Any]:
    """So that a function which several plugins are made of is not marked for all of them at once."""
    import types

    if not isinstance(function, types.FunctionType):
        return function
    copied = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    copied.__dict__.update(function.__dict__)
    return copied
