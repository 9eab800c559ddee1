"""What is registered on an app: rules, blueprints, and what runs when an application context ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, ValuesView
from typing import TYPE_CHECKING, Any, TypeVar

from .blueprints import endpoint_of
from .globals import _cv
from .scaffold import describe_function
from .scoping import (
    SwitchedOff,
    check_endpoint,
    check_names,
    describe_endpoint,
    describe_rule,
    read_names,
    switched_off,
)
from .tables import PublicTable, function_list

if TYPE_CHECKING:
    from werkzeug.exceptions import Aborter
    from werkzeug.routing import Rule

    from .app import Quart
    from .blueprints import Blueprint
    from .ctx import Context
    from .decorators import PluginNames
    from .wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])

WEBSOCKET_OPTIONS = ("allowed_origins", "disconnect", "subprotocols")  # of a rule; not werkzeug's


class Registration:
    """Mixed into `Quart`."""

    def add_url_rule(  # type: ignore[misc]  # mixed into Quart
        self: Quart,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        *,
        plugins_disabled: PluginNames = (),
        **options: Any,
    ) -> None:
        """Lead requests (or, with `websocket=True`, websockets) for `rule` to a view.

        rule       a path with variables, such as "/user/<int:id>".
        endpoint   the name for `url_for`; by default the view's name.
        methods    the HTTP methods; by default GET (with HEAD) and OPTIONS.
        plugins_disabled  plugins whose hooks are not called for it, or single hooks of them ("name:hook").

        Raises AssertionError when another view has the endpoint already, ValueError or TypeError for a rule or
        an option that makes no sense, and PluginError for unknown names of plugins, before they are set up not yet.
        """
        if not rule.startswith("/"):
            raise ValueError(f"the rule {rule!r} has to start with a slash")
        if endpoint is None:
            endpoint = endpoint_of(view_func)
        websocket = bool(options.get("websocket"))
        methods = options.pop("methods", None)
        if methods is None:
            methods = getattr(view_func, "methods", None) or ("GET",)
        if isinstance(methods, str):
            raise TypeError(f"methods has to be a list of strings, as in methods=[{methods!r}]")
        methods = list(methods) if isinstance(methods, Iterable) else methods
        if not isinstance(methods, list) or not all(isinstance(method, str) for method in methods):
            raise TypeError(f"methods has to be a list of strings, not {methods!r}, in the rule {rule!r}")
        methods = {method.upper() for method in methods}
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view_func, "provide_automatic_options", None)
        if provide_automatic_options is None:
            provide_automatic_options = "OPTIONS" not in methods and bool(self.config["PROVIDE_AUTOMATIC_OPTIONS"])
        if provide_automatic_options:
            methods.add("OPTIONS")
        methods |= set(getattr(view_func, "required_methods", ()))
        place = describe_function(view_func) if view_func is not None else None
        described = describe_rule(rule, place)
        disabled = read_names(plugins_disabled, described)
        disabled |= read_names(getattr(view_func, "plugins_disabled", ()), described)
        if disabled and self.plugins_are_set_up:
            check_names(self, disabled, described)
        own = {name: options.pop(name) for name in WEBSOCKET_OPTIONS if name in options}
        if own and not websocket:
            raise TypeError(f"{', '.join(own)} is for websockets; the rule {rule!r} is for requests")
        if own.get("disconnect") not in (None, "auto", "raise", "cancel"):
            raise ValueError(
                f"disconnect is {own['disconnect']!r} in the rule {rule!r}; it has to be 'auto', 'raise' or 'cancel'"
            )
        defaults = options.get("defaults")
        if defaults and self.url_map.host_matching is False:
            options["defaults"] = dict(defaults)
        made = self.url_rule_class(
            rule,
            methods=methods,
            endpoint=endpoint,
            provide_automatic_options=provide_automatic_options,
            **options,
        )
        made.provide_automatic_options = provide_automatic_options
        made.connection_options = own
        made.place = place
        made.plugins_disabled = disabled
        if view_func is not None:
            known = self.view_functions.get(endpoint)
            if known is not None and known != view_func:
                raise AssertionError(
                    f"the endpoint {endpoint!r} leads to {describe_function(known)}"
                    f"{self.plugin_setup.whose(known)} already, and would be overwritten by "
                    f"{describe_function(view_func)}; rename one of them, or pass endpoint='…'"
                )
        self.url_map.add(made)
        if view_func is not None:
            self.view_functions[endpoint] = view_func

    def register_blueprint(  # type: ignore[misc]  # mixed into Quart
        self: Quart, blueprint: Blueprint, *, plugins_disabled: PluginNames = (), **options: Any
    ) -> None:
        """Register a blueprint; `url_prefix`, `subdomain`, `name` and `url_defaults` override its own.

        plugins_disabled  plugins to switch off for its routes, beside those that it names itself.
        """
        if plugins_disabled:
            options["plugins_disabled"] = plugins_disabled
        blueprint.register(self, options)

    def disable_plugins_for(self: Quart, endpoint: str, names: PluginNames) -> None:  # type: ignore[misc]
        """Switch plugins, or single hooks of them, off for the routes of an endpoint that somebody else added.

        As `plugins_disabled` of a route: `app.disable_plugins_for("static", {"rate_limit"})`. What was switched off
        stays so. Raises PluginError for unknown names and endpoints, when the plugins are set up or at once if they
        are.
        """
        read = read_names(names, describe_endpoint(endpoint))
        if self.plugins_are_set_up:
            check_endpoint(self, endpoint, read)
        self.scopes.endpoints[endpoint] = read | self.scopes.endpoints.get(endpoint, frozenset())
        self.plans_changed()

    def switched_off_for(self: Quart, rule: Rule) -> SwitchedOff:  # type: ignore[misc]  # mixed into Quart
        """The plugins and hooks that are switched off for a rule of `app.url_map`, whoever switched them off."""
        return switched_off(self, rule)

    def iter_blueprints(self: Quart) -> ValuesView[Blueprint]:  # type: ignore[misc]
        return self.blueprints.values()

    teardown_appcontext_funcs: Any = PublicTable(function_list, "What runs when an application context ends.")

    def teardown_appcontext(self: Quart, f: F) -> F:  # type: ignore[misc]
        """Call `f(error or None)` when an application context ends, a request's and a websocket's included."""
        self._check_function(f, "teardown_appcontext")
        self.teardown_appcontext_funcs.append(f)
        return f

    def make_aborter(self: Quart) -> Aborter:  # type: ignore[misc]
        return self.aborter_class()

    async def make_default_options_response(  # type: ignore[misc]  # mixed into Quart
        self: Quart, ctx: Context | None = None
    ) -> Response:
        """The answer to OPTIONS: the methods that the path allows."""
        current = ctx or _cv.get()
        adapter = current.url_adapter
        assert adapter is not None
        response: Response = self.response_class("")
        response.allow.update(adapter.allowed_methods())
        return response
