"""Blueprints: what is registered on one waits until it is registered on an app, under its name and prefix.

A blueprint may be registered several times (under different names), and nested in others. Needs no app to exist.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .decorators import PluginNames, T_error_handler
from .globals import current_app
from .hooks.names import lazy_names
from .reexports import BLUEPRINTS
from .scaffold import STAGES, F, Scaffold, describe_function, exception_and_code, named_register
from .scoping import check_names, describe_blueprint, read_names
from .tables import ObservedDict

if TYPE_CHECKING:
    from .app import Quart

DeferredSetupFunction = Callable[["BlueprintSetupState"], None]
T = TypeVar("T", bound=Callable[..., Any])

__getattr__, __dir__ = lazy_names(__name__, BLUEPRINTS)  # what Quart offers here as well


class BlueprintNameTaken(ValueError):
    """name  what two blueprints are called."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class BlueprintSetupState:
    """What a deferred function is given: the app, the blueprint, and the options of this registration."""

    def __init__(
        self, blueprint: Blueprint, app: Quart, options: dict[str, Any], first_registration: bool
    ) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        self.subdomain = _chosen(options.get("subdomain"), blueprint.subdomain)
        self.url_prefix = _chosen(options.get("url_prefix"), blueprint.url_prefix)
        self.name = options.get("name", blueprint.name)
        self.name_prefix = options.get("name_prefix", "")
        self.url_defaults = {**blueprint.url_values_defaults, **options.get("url_defaults", {})}

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        """Add a rule to the app, with the prefix and the name of this registration."""
        if self.url_prefix is not None:
            rule = joined(self.url_prefix, rule) if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = endpoint_of(view_func)
        defaults = {**self.url_defaults, **(options.pop("defaults", None) or {})}
        name = f"{self.name_prefix}.{self.name}.{endpoint}".lstrip(".")
        self.app.add_url_rule(rule, name, view_func, defaults=defaults or None, **options)


def joined(prefix: str, rest: str) -> str:
    """A prefix and what follows it, with one slash between them."""
    return f"{prefix.rstrip('/')}/{rest.lstrip('/')}"


def _chosen(option: Any, default: Any) -> Any:
    return default if option is None else option


def endpoint_of(function: Any) -> str:
    """The endpoint a view has when none is given: its name."""
    if function is None:
        raise TypeError("a rule needs an endpoint or a view function")
    name: str = getattr(function, "__name__", None) or type(function).__name__
    return name


def _on_app(method: str, doc: str) -> Callable[[Any, F], F]:
    """A decorator that registers its function on the app, once, when the blueprint is registered."""

    def add(blueprint: Blueprint, function: F) -> F:
        blueprint._check_function(function, method)
        blueprint.record_once(lambda state: getattr(state.app, method)(function))
        return function

    return named_register(add, method, doc)


class Blueprint(Scaffold):
    """A part of an app: routes, functions, error handlers, templates and static files of its own."""

    before_app_request = _on_app("before_request", "`before_request` for every request of the app.")
    after_app_request = _on_app("after_request", "`after_request` for every request of the app.")
    teardown_app_request = _on_app("teardown_request", "`teardown_request` for every request of the app.")
    before_app_websocket = _on_app("before_websocket", "`before_websocket` for every websocket of the app.")
    after_app_websocket = _on_app("after_websocket", "`after_websocket` for every websocket of the app.")
    teardown_app_websocket = _on_app(
        "teardown_websocket", "`teardown_websocket` for every websocket of the app."
    )
    before_app_serving = _on_app("before_serving", "`before_serving` of the app.")
    after_app_serving = _on_app("after_serving", "`after_serving` of the app.")
    while_app_serving = _on_app("while_serving", "`while_serving` of the app.")
    app_context_processor = _on_app("context_processor", "`context_processor` for every template of the app.")
    app_url_defaults = _on_app("url_defaults", "`url_defaults` for every URL of the app.")
    app_url_value_preprocessor = _on_app("url_value_preprocessor", "`url_value_preprocessor` of the app.")

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | None = "",
        *,
        plugins_disabled: PluginNames = (),
    ) -> None:
        if not name:
            raise ValueError("a blueprint needs a name that is not empty")
        if "." in name:
            raise ValueError(
                f"the name {name!r} of a blueprint may not have a dot, which separates nested names"
            )
        self._registered = False
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.url_values_defaults = dict(url_defaults or {})
        self.deferred_functions: list[DeferredSetupFunction] = []
        self.cli_group: str | object | None = cli_group
        self.plugins_disabled = read_names(plugins_disabled, f"the blueprint {name!r}")
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    @cached_property
    def cli(self) -> Any:
        """The commands of this blueprint, a `click.Group`; may be assigned."""
        from .hooks.names import plugin_attribute

        return plugin_attribute("cli", "AppGroup")(name=self.name)

    def _changed(self) -> None:
        if self._registered:
            raise AssertionError(
                f"the blueprint {self.name!r} was registered on an app already, so that what is added to it now has "
                "no effect; add everything before register_blueprint(), or add it to the app"
            )

    # Registration on an app -----------------------------------------------------------------------------------------

    def record(self, func: DeferredSetupFunction) -> None:
        """Call `func(state)` each time the blueprint is registered on an app."""
        self._changed()
        self.deferred_functions.append(func)

    def record_once(self, func: DeferredSetupFunction) -> None:
        """Call `func(state)` the first time the blueprint is registered on an app."""

        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(once)

    def make_setup_state(
        self, app: Quart, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        return BlueprintSetupState(self, app, options, first_registration)

    def register_blueprint(
        self, blueprint: Blueprint, *, plugins_disabled: PluginNames = (), **options: Any
    ) -> None:
        """Nest another blueprint; options as in `Quart.register_blueprint`."""
        if plugins_disabled:
            options["plugins_disabled"] = plugins_disabled
        self._changed()
        if blueprint is self:
            raise ValueError(f"the blueprint {self.name!r} cannot be registered on itself")
        self._blueprints.append((blueprint, options))

    def register(self, app: Quart, options: dict[str, Any]) -> None:
        """Register everything of this blueprint on the app; called by `Quart.register_blueprint`."""
        name = f"{options.get('name_prefix', '')}.{options.get('name', self.name)}".lstrip(".")
        if name in app.blueprints:
            same = "this blueprint" if app.blueprints[name] is self else "another blueprint"
            whose = app.plugin_setup.whose(app.blueprints[name])
            raise BlueprintNameTaken(
                f"{same}{whose} is registered under the name {name!r} already; give this one a name of its own: "
                "register_blueprint(blueprint, name='…')",
                name,
            )
        described = describe_blueprint(name, self.import_name)
        disabled = read_names(self.plugins_disabled, described)
        disabled |= read_names(options.get("plugins_disabled", ()), described)
        if app.plugins_are_set_up:
            check_names(app, disabled, described)
        app.scopes.blueprints[name] = disabled
        first_registration = all(blueprint is not self for blueprint in app.blueprints.values())
        app.blueprints[name] = self
        self._registered = True
        state = self.make_setup_state(app, options, first_registration)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>", endpoint="static", view_func=self.send_static_file
            )
        self._merge(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        group = self.__dict__.get("cli")  # not made for nothing
        if group is not None and group.commands:
            app.add_cli_group(group, options.get("cli_group", self.cli_group), name)
        for blueprint, given in self._blueprints:
            nested = dict(given)
            prefix = _chosen(nested.get("url_prefix"), blueprint.url_prefix)
            if state.url_prefix is not None:
                nested["url_prefix"] = (
                    state.url_prefix if prefix is None else joined(state.url_prefix, prefix)
                )
            subdomain = _chosen(nested.get("subdomain"), blueprint.subdomain)
            if state.subdomain is not None:
                nested["subdomain"] = f"{subdomain}.{state.subdomain}" if subdomain else state.subdomain
            nested["name_prefix"] = name
            blueprint.register(app, nested)

    def _merge(self, app: Quart, name: str) -> None:
        """Put the rows of this blueprint into the app's tables, under the registered name."""

        def extend(mine: Any, theirs: Any) -> None:
            for key, functions in mine.items():
                if functions:
                    theirs[name if key is None else f"{name}.{key}"].extend(functions)

        for stage in STAGES:
            for kind in ("request", "websocket"):
                table = f"{stage}_{kind}_funcs"
                extend(getattr(self, table), getattr(app, table))
        extend(self.url_value_preprocessors, app.url_value_preprocessors)
        extend(self.url_default_functions, app.url_default_functions)
        extend(self.template_context_processors, app.template_context_processors)
        for endpoint, function in self.view_functions.items():
            # Quart's `@blueprint.endpoint` takes the app's name of the endpoint, with the blueprint's in it.
            app.view_functions[endpoint if "." in endpoint else f"{name}.{endpoint}"] = function
        for key, by_code in self.error_handler_spec.items():
            target: ObservedDict = app.error_handler_spec[name if key is None else f"{name}.{key}"]
            for code, handlers in by_code.items():
                target[code].update(handlers)

    # Decorators -----------------------------------------------------------------------------------------------------

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
        """Add a rule when the blueprint is registered; see `Quart.add_url_rule`."""
        if endpoint and "." in endpoint:
            raise ValueError(f"the endpoint {endpoint!r} of a blueprint's view may not have a dot")
        if plugins_disabled:
            options["plugins_disabled"] = plugins_disabled
        name = getattr(view_func, "__name__", "")
        if endpoint is None and "." in name:
            raise ValueError(
                f"the name of {describe_function(view_func)} has a dot; pass endpoint= without one"
            )
        self.record(
            lambda state: state.add_url_rule(
                rule, endpoint, view_func, provide_automatic_options=provide_automatic_options, **options
            )
        )

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """How long a client may keep a file of this blueprint's static folder, in seconds: by default the app says."""
        age: int | None = current_app.get_send_file_max_age(filename)
        return age

    def app_errorhandler(
        self, code: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """`errorhandler` for every request of the app."""
        exception_and_code(code)

        def decorate(function: T_error_handler) -> T_error_handler:
            def add(state: BlueprintSetupState) -> None:
                state.app.errorhandler(code)(function)

            self.record_once(add)
            return function

        return decorate

    def app_template_filter(self, name: str | None = None) -> Callable[[T], T]:
        """`template_filter` for every template of the app."""
        return _naming(self.add_app_template_filter, name)

    def app_template_test(self, name: str | None = None) -> Callable[[T], T]:
        """`template_test` for every template of the app."""
        return _naming(self.add_app_template_test, name)

    def app_template_global(self, name: str | None = None) -> Callable[[T], T]:
        """`template_global` for every template of the app."""
        return _naming(self.add_app_template_global, name)

    def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        self.record_once(lambda state: state.app.add_template_filter(f, name))

    def add_app_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        self.record_once(lambda state: state.app.add_template_test(f, name))

    def add_app_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        self.record_once(lambda state: state.app.add_template_global(f, name))


def _naming(add: Callable[..., None], name: str | None) -> Callable[[T], T]:
    def decorate(function: T) -> T:
        add(function, name=name)
        return function

    return decorate
