"""The plugins' own configuration, as the application gives it to them: typed, and each value with its place.

Must not know: where it is written, how it is converted (see `hooks.configuration`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from .exceptions import PluginConfigError

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.configuration import Bound, ConfigField

T = TypeVar("T")


class PluginConfigs:
    """Mixed into `Quart`."""

    if TYPE_CHECKING:

        @overload
        def plugin_config(self, schema: type[T]) -> T: ...
        @overload
        def plugin_config(self, schema: str) -> Any: ...

    def plugin_config(self: Quart, schema: Any) -> Any:  # type: ignore[misc]  # mixed into Quart
        """A plugin's configuration.

        schema  the dataclass that an active plugin gave as its `configuration_schema`, or the plugin's name.

        Sets the plugins up. Raises PluginConfigError when no active plugin has it, or several have.
        """
        if isinstance(schema, str):
            return self._bound_config(schema).value
        self.setup_plugins()
        configuration = self.plugin_hooks.configuration
        found = configuration.by_schema(schema)
        if len(found) == 1:
            return next(iter(found.values())).value
        name = getattr(schema, "__name__", repr(schema))
        if found:
            names = ", ".join(map(repr, found))
            raise PluginConfigError(f"several plugins are configured by {name}: {names}; ask by the plugin's name")
        for plugin in configuration.declared_by(schema):
            why = self.plugin_hooks.explain(plugin)
            raise PluginConfigError(f"no active plugin has {name} as its configuration_schema: {why}")
        known = ", ".join(configuration.names) or "none"
        raise PluginConfigError(
            f"no active plugin has {name} as its configuration_schema (plugins that have one: {known}); enable the"
            " plugin, or return the class from its hook configuration_schema"
        )

    def plugin_config_sources(self: Quart, name: str) -> dict[str, str]:  # type: ignore[misc]  # mixed into Quart
        """Where each value of a plugin's configuration comes from: {key: place}, with places such as "default",
        "environment QUART_PLUG_TIMING__HEADER" and "plugins.timing in /srv/settings.toml".

        Raises PluginConfigError as `plugin_config` does.
        """
        return self._bound_config(name).sources()

    def plugin_config_fields(self: Quart, name: str) -> tuple[ConfigField, ...]:  # type: ignore[misc]  # mixed in
        """A plugin's configuration for people: each entry with its type, value, source and documentation. What is
        secret is masked.

        Raises PluginConfigError as `plugin_config` does.
        """
        return self._bound_config(name).fields()

    def _bound_config(self: Quart, name: str) -> Bound:  # type: ignore[misc]  # mixed into Quart
        self.setup_plugins()
        bound = self.plugin_hooks.configuration.bound(name)
        if bound is not None:
            return bound
        if self.plugin_hooks.is_active(name):
            raise PluginConfigError(f"the plugin {name!r} has no configuration_schema, and so no configuration")
        raise PluginConfigError(f"{name!r} has no configuration here: {self.plugin_hooks.explain(name)}")
