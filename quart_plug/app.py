"""`Quart`: composes the parts and delegates to them.

What a part does is written in its own module: the table of functions (scaffold.py), the steps of a connection
(steps.py over lifecycle.py), what it is compiled to (plan.py), URLs (urls.py), templates (app_templates.py), serving
(serving.py), plugins (hooks/). Here is what belongs to the app alone: its configuration, its slots, its rules, and
the moment at which everything compiled is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import sys
from abc import ABCMeta
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from weakref import WeakSet

from werkzeug.exceptions import Aborter

from .app_config import DEFAULT_CONFIG, PLAN_SETTINGS, PLUGIN_SETTINGS, auto_instance_path
from .app_templates import Templates
from .asgi import ASGIHTTPConnection, ASGILifespan, ASGIWebsocketConnection, entry, filtering, http
from .concurrency import is_coroutine_function, run_sync
from .config import PLUGIN_CONFIG, Config, ConfigAttribute, as_timedelta
from .ctx import Context, context_of
from .exceptions import PluginSettingsError
from .hooks.names import lazy_names
from .kinds import REQUEST, WEBSOCKET, Kind
from .namespace import Globals
from .overrides import default_step
from .plan import Plans
from .plugin_config import PluginConfigs
from .plugin_serving import PluginServing
from .reexports import APP
from .registration import Registration
from .resources import Resource, open_below
from .routing import QuartMap, QuartRule, Router
from .scaffold import Scaffold
from .serving import Serving
from .slots import Slots
from .steps import ConnectionSteps
from .typing import AppOrBlueprintKey as AppOrBlueprintKey
from .typing import FilePath
from .urls import URLBuilding
from .utils import cancel_all_tasks as _cancel_all_tasks  # noqa: F401 - Quart's, for who has written `run` anew
from .wrappers import Request, Response, Websocket
from .wrappers.watch import Sweep

if TYPE_CHECKING:
    import logging

    from .blueprints import Blueprint
    from .typing import Receive, Scope, Send

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

__getattr__, __dir__ = lazy_names(__name__, APP)  # what Quart offers here as well

_live_apps: WeakSet[Quart] = WeakSet()


class Lazy:
    """A class attribute that is imported when it is looked at; testing and what it needs is not a part of serving."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __get__(self, app: Any, owner: type) -> Any:
        return getattr(import_module(self.module), self.name)


class AppMeta(ABCMeta):
    """Notices what is assigned on the class, as extensions do to replace a step for every app.

    Derived from ABCMeta, so that an app can be mixed with abstract classes.
    """

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        for app in list(_live_apps):
            app.plans_changed()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        for app in list(_live_apps):
            app.plans_changed()


class Quart(
    Registration, Slots, PluginConfigs, Serving, Templates, URLBuilding, ConnectionSteps, Scaffold, metaclass=AppMeta
):
    """The application: an ASGI callable with Flask's API.

    import_name  the name of the module or package that the app belongs to, usually `__name__`; resources, templates
                 and static files are looked for beside it.
    plugins      plugins to enable beside the core ones: names, modules or objects; see "Enabling plugins" in the
                 documentation for the other places to name them.

    The other arguments are Flask's.
    """

    aborter_class: ClassVar[type[Aborter]] = Aborter
    app_ctx_globals_class: ClassVar[type[Globals]] = Globals
    asgi_http_class: Any = ASGIHTTPConnection
    asgi_lifespan_class: Any = ASGILifespan
    asgi_websocket_class: Any = ASGIWebsocketConnection
    config_class: ClassVar[type[Config]] = Config
    event_class: Any = asyncio.Event
    lock_class: Any = asyncio.Lock
    request_class: Any = Request
    response_class: Any = Response
    websocket_class: Any = Websocket
    url_map_class: Any = QuartMap
    url_rule_class: Any = QuartRule
    test_app_class: Any = Lazy("quart_plug.testing", "TestApp")
    test_client_class: Any = Lazy("quart_plug.testing", "QuartClient")
    test_cli_runner_class: Any = Lazy("quart_plug.testing", "QuartCliRunner")
    jinja_environment: Any = Lazy("quart_plug.templating", "Environment")
    jinja_options: dict[str, Any] = {}

    default_config: dict[str, Any] = DEFAULT_CONFIG

    # compiled at the first use; see plan.py
    plans_http: Plans | None
    plans_websocket: Plans | None
    plans_app: Plans | None
    _entrance: Callable[[Scope, Receive, Send], Awaitable[None]] | None  # what a connection is given to

    permanent_session_lifetime: ConfigAttribute[timedelta] = ConfigAttribute(
        "PERMANENT_SESSION_LIFETIME", as_timedelta
    )
    secret_key: ConfigAttribute[str | bytes | None] = ConfigAttribute("SECRET_KEY")
    testing: ConfigAttribute[bool] = ConfigAttribute("TESTING")

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
        *,
        plugins: Iterable[Any] | None = None,
    ) -> None:
        self.plans_changed()
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(f"instance_path has to be absolute, {instance_path!r} is not")
        self.instance_path = instance_path
        self._init_slots(plugins)
        self.config = self.make_config(instance_relative_config)
        self.config.on_change.append(self._config_changed)

        changed = self.plans_changed
        self.blueprints: dict[str, Blueprint] = {}
        self.extensions: dict[str, Any] = {}
        self.background_tasks: set[asyncio.Task[Any]] = set()
        self.shutdown_event: Any = None
        self._plugin_serving = PluginServing(self)
        self._sweeps: dict[Any, Sweep] = {}
        self._latest_sweep: Sweep | None = None
        self.preserves_context = False
        self.preserved_context: Context | None = None
        self.before_serving_funcs = []
        self.after_serving_funcs = []
        self.while_serving_gens = []
        self.shell_context_processors: list[Callable[[], dict[str, Any]]] = []
        self.url_build_error_handlers = []
        self._template_names = {}
        self.subdomain_matching = subdomain_matching
        self.aborter = self.make_aborter()
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.url_map.on_change = changed
        self._router = Router(self.url_map)
        self.url_map.defer_unknown = True
        self.url_map.need_setup = self.setup_plugins
        if self.has_static_folder:
            if bool(static_host) != host_matching:
                raise ValueError("static_host and host_matching go together: set both, or neither")
            self.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                "static",
                self.send_static_file,
                host=static_host,
            )
        _live_apps.add(self)

    # Compiled plans ---------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if hasattr(type(self), name):  # it may be an override; what an application merely keeps here is not
            self.__dict__.setdefault("_assigned", set()).add(name)
            self.plans_changed()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.plans_changed()

    def plans_changed(self) -> None:
        """Throw everything compiled away; connections in flight keep what they have."""
        state = self.__dict__
        state["plans_http"] = state["plans_websocket"] = state["plans_app"] = state["_entrance"] = None

    _changed = plans_changed

    def plans_for(self, kind: Kind | None) -> Plans:
        """What the app is compiled to for connections of a kind (None: application contexts)."""
        name = {REQUEST: "plans_http", WEBSOCKET: "plans_websocket", None: "plans_app"}[kind]
        plans: Plans | None = self.__dict__[name]
        if plans is None:
            self.setup_plugins()
            plans = Plans(self, kind)
            self.__dict__[name] = plans
        return plans

    def _config_changed(self, key: str) -> None:
        if key in PLUGIN_SETTINGS and self.plugins_are_set_up and key in self.config and not self._set_up_with(key):
            raise PluginSettingsError(
                f"{key} was changed after the plugins had been set up, which has no effect any more; set it before "
                "the first request, and before app.cli, app.json or another part that a plugin fills is used"
            )
        if key == PLUGIN_CONFIG and self.plugins_are_set_up and key in self.config:
            self.plugin_hooks.configuration.check_unchanged()
        if key in PLAN_SETTINGS:
            self.plans_changed()

    # Configuration ----------------------------------------------------------------------------------------------------

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the configuration, with the defaults and `DEBUG` from the environment."""
        from .helpers import get_debug_flag

        root = self.instance_path if instance_relative else self.root_path
        defaults = dict(self.default_config)
        defaults["DEBUG"] = get_debug_flag()
        return self.config_class(root, defaults)

    def auto_find_instance_path(self) -> str:
        """`instance` beside the top-level package or module; installed: `var/<name>-instance` below the prefix."""
        return auto_instance_path(self.import_name, self.name)

    def open_instance_resource(self, path: FilePath, mode: str = "rb") -> Resource:
        """Open a file of the instance folder for reading."""
        return open_below(self.instance_path, path, mode)

    @cached_property
    def name(self) -> str:  # type: ignore[override]  # a blueprint's is an attribute
        """The import name, or the file's name for a script."""
        if self.import_name == "__main__":
            file = getattr(sys.modules["__main__"], "__file__", None)
            return "__main__" if file is None else os.path.splitext(os.path.basename(file))[0]
        return self.import_name

    @property
    def debug(self) -> bool:
        """Whether errors are shown in the browser, templates are reloaded, and so on; never in production."""
        return bool(self.config["DEBUG"])

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        environment = self.__dict__.get("jinja_env")  # not made for nothing
        if environment is not None and self.config["TEMPLATES_AUTO_RELOAD"] is None:
            environment.auto_reload = value

    @cached_property
    def logger(self) -> logging.Logger:
        """The app's logger; the errors that nothing handled go there. Another one may be assigned."""
        from .logging import create_logger

        return create_logger(self)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Whether teardown functions are not to be told of this error; an override decides, the default never does."""
        return False

    # Functions --------------------------------------------------------------------------------------------------------

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """`func` if it is a coroutine function, else one that runs it in a thread."""
        return func if is_coroutine_function(func) else self.sync_to_async(func)

    def sync_to_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """A coroutine function that runs `func` in a thread, with the current context."""
        return run_sync(func)

    # Contexts ---------------------------------------------------------------------------------------------------------

    @default_step
    def app_context(self) -> Context:
        """A context in which `current_app` and `g` work: `async with app.app_context(): …`."""
        return Context(self)

    @default_step
    def request_context(self, request: Any) -> Context:
        """The context of a request: the connection's own, or a new one for a request made by hand."""
        return context_of(self, request, REQUEST)

    @default_step
    def websocket_context(self, websocket: Any) -> Context:
        """The context of a websocket: the connection's own, or a new one for a websocket made by hand."""
        return context_of(self, websocket, WEBSOCKET)

    def test_request_context(self, path: str, **options: Any) -> Context:
        """A request's context for tests; options as in Quart (method, headers, query_string, json, form, …)."""
        from .testing.contexts import request_context

        return request_context(self, path, **options)

    def test_websocket_context(self, path: str, **options: Any) -> Context:
        """A websocket's context for tests."""
        from .testing.contexts import websocket_context

        return websocket_context(self, path, **options)

    def shell_context_processor(self, f: F) -> F:
        """Call `f()` for names in the interactive shell."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        from .globals import g

        context: dict[str, Any] = {"app": self, "g": g}
        for names in (self.plugin_hooks.call("shell_context") or (lambda app: []))(self):
            context.update(names)
        for processor in self.shell_context_processors:
            context.update(processor())
        return context

    # ASGI -------------------------------------------------------------------------------------------------------------

    def _current_sweep(self) -> Sweep:
        """The table of suspended connections of the running loop; see wrappers/watch.py."""
        loop = asyncio.get_running_loop()
        sweep = self._sweeps.get(loop)
        if sweep is None:
            for other in [other for other in self._sweeps if other.is_closed()]:
                del self._sweeps[other]
            sweep = self._sweeps[loop] = Sweep(self, loop)
        self._latest_sweep = sweep
        return sweep

    async def asgi_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable that middleware wraps: `app.asgi_app = Middleware(app.asgi_app)`.

        A coroutine function, because middleware looks at that to tell ASGI 3 from ASGI 2.
        """
        await self._connection(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server for each connection; goes through `asgi_app` where that was replaced."""
        call = self._entrance
        if call is None:
            replaced = getattr(self.asgi_app, "__func__", None) is not _ASGI_APP
            call = self.asgi_app if replaced else self._connection
            if scope["type"] != "lifespan":  # set-up belongs to the start-up, which tells the server when it fails
                call = self.__dict__["_entrance"] = filtering(self, call)
        await call(scope, receive, send)

    def _connection(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and self.asgi_http_class is ASGIHTTPConnection:
            return http(self, scope, receive, send)
        return entry(self, scope, receive, send)


_ASGI_APP = Quart.asgi_app
