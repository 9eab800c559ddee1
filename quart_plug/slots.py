"""The app's plugins, and the parts that they fill.

Set-up happens once, at the first need: a slot is used, a rule has an unknown converter, `app.cli`, start-up, the first
request, or `setup_plugins()`. So the configuration can be filled after `Quart(__name__)`. An attribute that the app
sets itself (`app.session_interface = …`) beats a plugin's slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from inspect import get_annotations
from typing import TYPE_CHECKING, Any

from . import typing
from .answers import describe_hook
from .app_config import PLUGIN_SETTINGS
from .exceptions import PluginError, PluginHookError, PluginNotEnabled
from .hooks import PluginManager, specs
from .namespace import unless_assigned
from .plugin_setup import PluginSetup, start_plugins
from .scoping import Scopes, chain_here

if TYPE_CHECKING:
    from .app import Quart
    from .typing import JSONProvider, SessionInterface


# What a slot needs; which server there is to be is asked otherwise.
_PROTOCOLS = {
    "json_provider": "JSONProvider",
    "session_interface": "SessionInterface",
    "template_engine": "TemplateEngine",
    "file_server": "FileServer",
    "command_line": "CommandLine",
    "debug_page": "DebugPage",
    "rooms": "Rooms",
}


class _Slot:
    """An attribute that a plugin fills at the first use, unless the app or its class sets it."""

    def __init__(self, hook: str, doc: str) -> None:
        self.hook = hook
        self.__doc__ = doc

    def __get__(self, app: Any, owner: type) -> Any:
        return self if app is None else app.plugin_slot(self.hook)


class Slots:
    """Mixed into `Quart`."""

    json_provider_class: Any = None
    plugins_are_set_up: bool

    json: Any = _Slot("json_provider", "The provider of JSON for requests, responses and websockets.")
    session_interface: Any = _Slot("session_interface", "What opens and saves `session`.")
    rooms: Any = _Slot("rooms", "Who is where, and who hears what is said there (plugin `rooms`).")

    def _init_slots(self, plugins: Iterable[Any] | None) -> None:
        state = self.__dict__
        state["plugins_are_set_up"] = False
        state["_setting_up"] = False
        state["_setup_error"] = None
        state["_filled"] = {}
        state["_fillers"] = {}
        state["plugin_hooks"] = PluginManager(plugins)
        state["_cli_groups"] = []
        state["scopes"] = Scopes()
        self.plugin_hooks.add_hookspecs(specs)
        state.setdefault("_assigned", set())
        state["plugin_setup"] = self.plugin_hooks.follower = PluginSetup(self)  # type: ignore[arg-type]  # mixed into Quart
        state["plugin_hooks"].on_change.append(self._hooks_changed)  # type: ignore[misc]  # mixed into Quart

    scopes: Scopes
    plugin_hooks: PluginManager
    plugin_setup: PluginSetup
    hooks: PluginManager = unless_assigned(lambda self: self.plugin_hooks)

    def _hooks_changed(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        fillers = self.__dict__["_fillers"]
        self.__dict__["_filled"] = {
            hook: value
            for hook, value in self.__dict__["_filled"].items()
            if hook in fillers and fillers[hook] == self._fillers_of(hook)
        }
        self.plans_changed()

    def _fillers_of(self, hook: str) -> list[tuple[str, Any]]:
        """The plugins that a slot asks; as long as they are the same it keeps what it was given."""
        found = self.plugin_hooks.called(hook)
        # One with `when` may come and go without a registration: it is never the same.
        return [(i.plugin, object() if i.is_conditional else i.function) for i in found]

    def chain_here(self: Quart, hook: str) -> Callable[..., Any] | None:  # type: ignore[misc]  # mixed into Quart
        """The compiled chain of a hook, or None, without the plugins that are switched off for the current route.

        For hooks that are called while a connection is handled, a plugin's own ones among them. The chain is that of
        now: ask again for the next call.
        """
        return chain_here(self, hook)  # type: ignore[no-any-return]  # the manager's

    def setup_plugins(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        """Select, load and set up the plugins; only the first call does anything.

        Raises PluginNotFound, PluginLoadError or PluginSettingsError; where several things are wrong, PluginErrors with
        all of them, which is caught as each of these is.
        """
        state = self.__dict__
        if state["plugins_are_set_up"] or state["_setting_up"]:
            return
        state["_setting_up"] = True
        try:
            if state["_setup_error"] is None and not self.plugin_hooks.is_loaded:
                try:
                    start_plugins(self)
                except PluginError as error:
                    state["_setup_error"] = error
                    raise
            if state["_setup_error"] is not None:  # an app with half of its plugins is never used
                raise state["_setup_error"].with_traceback(None)
            self.url_map.defer_unknown = False
            self.url_map.bind_pending()  # a rule that cannot be bound is an error for every connection
            state["plugins_are_set_up"] = True
            self.plugin_setup.warn()
            # What is taken out and put back, as `mock.patch.dict(app.config, …)` does with all of them, is no change.
            state["_plugin_settings"] = {key: self.config.get(key) for key in PLUGIN_SETTINGS}
        finally:
            state["_setting_up"] = False
        self.plans_changed()

    def _set_up_with(self: Quart, key: str) -> bool:  # type: ignore[misc]  # mixed into Quart
        """Whether this setting of plugins is as it was when they were set up."""
        return bool(self.config[key] == self.__dict__["_plugin_settings"][key])

    def plugin_slot(self: Quart, hook: str) -> Any:  # type: ignore[misc]  # mixed into Quart
        """What a plugin has put into a slot; PluginNotEnabled, which says how to turn it on, when none did."""
        filled = self.__dict__["_filled"].get(hook)
        if filled is None:
            filled = self.plugin_slot_or_none(hook)
            if filled is None:
                raise PluginNotEnabled(self._why_empty(hook))
        return filled

    def _why_empty(self: Quart, hook: str) -> str:  # type: ignore[misc]  # mixed into Quart
        provider = self.plugin_hooks.provider_of(hook)
        if provider is None or self.plugin_hooks.is_active(provider):
            return f"no plugin has an answer for {hook}"
        return f"this needs a plugin for {hook.replace('_', ' ')}: {self.plugin_hooks.explain(provider)}"

    def plugin_slot_or_none(self: Quart, hook: str) -> Any:  # type: ignore[misc]  # mixed into Quart
        """What a plugin has put into a slot, or None."""
        filled = self.__dict__["_filled"]
        if hook not in filled:
            self.setup_plugins()
            filled = self.__dict__["_filled"]
            self.__dict__["_fillers"][hook] = self._fillers_of(hook)
            if hook == "json_provider" and self.json_provider_class is not None:
                filled[hook] = self.json_provider_class(self)
            else:
                call = self.plugin_hooks.call(hook)
                filled[hook] = None if call is None else self._fit_for_slot(hook, call(self))
        return filled[hook]

    def _fit_for_slot(self: Quart, hook: str, value: Any) -> Any:  # type: ignore[misc]  # mixed into Quart
        """What a plugin gave for a slot; PluginHookError, with what is missing, when it is not what is needed there.

        What has only a part of the slot's protocol may do all that an app asks of it; of a session interface each
        connection uses everything.
        """
        protocol = getattr(typing, _PROTOCOLS[hook]) if value is not None and hook in _PROTOCOLS else object
        needed = sorted(name for name in {*vars(protocol), *get_annotations(protocol)} if name[0] != "_")
        # Asked of the class first: a property may make something.
        missing = [name for name in needed if not hasattr(type(value), name) and not hasattr(value, name)]
        if missing and (hook == "session_interface" or len(missing) == len(needed)):
            raise PluginHookError(
                f"the {describe_hook(self.plugin_hooks, hook)} answered with {value!r}, which has no"
                f" {', '.join(map(repr, missing))}; see quart_plug.typing.{protocol.__name__}"
            )
        return value

    def session_interface_or_none(self: Quart) -> SessionInterface | None:  # type: ignore[misc]
        name = "session_interface"
        found: SessionInterface | None = self._set_by_app(name) or self.plugin_slot_or_none(name)
        return found

    def json_provider_or_none(self: Quart) -> JSONProvider | None:  # type: ignore[misc]
        found: JSONProvider | None = self._set_by_app("json") or self.plugin_slot_or_none("json_provider")
        return found

    def _set_by_app(self, name: str) -> Any:
        """What the app or its class has set an attribute of a slot to, or None."""
        if name in self.__dict__:
            return self.__dict__[name]
        for class_ in type(self).__mro__:
            attribute = class_.__dict__.get(name)
            if attribute is not None:
                break
        return None if attribute is Slots.__dict__[name] else getattr(self, name)

    def session_refreshing(self: Quart) -> Callable[[Any, bytes], bool] | None:  # type: ignore[misc]
        """What tells from a cookie header whether a session may have to be sent again though nothing touched it.

        None when that never happens: without a key there is no session, and SESSION_REFRESH_EACH_REQUEST may be off.
        """
        interface = self.session_interface_or_none()
        if interface is None or not self.secret_key or not self.config["SESSION_REFRESH_EACH_REQUEST"]:
            return None
        asked = getattr(interface, "may_be_refreshed", None)
        if asked is not None:
            return asked  # type: ignore[no-any-return]  # an optional part of the protocol
        name = str(self.config["SESSION_COOKIE_NAME"]).encode("latin-1", "replace")
        return lambda app, header: name in header

    # The command line -------------------------------------------------------------------------------------------------

    @cached_property
    def cli(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """The app's own commands, a `click.Group`; may be assigned."""
        own = self.__dict__["cli"] = self.plugin_slot("command_line").group(self.name)
        for group, option, name in self.__dict__["_cli_groups"]:
            _merge_cli_group(own, group, option, name)
        self.plugin_setup.footprints.made("cli")
        return own

    def add_cli_group(self, group: Any, option: Any, name: str) -> None:
        """Add a blueprint's commands: under its name (""), directly (None), or under another name."""
        self.__dict__["_cli_groups"].append((group, option, name))
        own = self.__dict__.get("cli")
        if own is not None:
            _merge_cli_group(own, group, option, name)


def _merge_cli_group(own: Any, group: Any, option: Any, name: str) -> None:
    if option is None:
        own.commands.update(group.commands)
        return
    group.name = option or name
    own.add_command(group)
