"""Whatever does not fit a specification is found when the plugin is registered, all of it at once."""

from __future__ import annotations

from typing import Any

import pluggy
import pytest

from quart_plug.exceptions import PluginHookError
from quart_plug.hooks import hookimpl, hookspec
from quart_plug.hooks.calls import Implementation
from quart_plug.hooks.markers import PROJECT
from quart_plug.hooks.origins import Origin
from quart_plug.hooks.validation import read_hookspecs, read_implementations

PLUGGY = pluggy.PluginManager(PROJECT)


class Specs:
    @hookspec(kind="notify", colour="sync")
    def setup(self, app: Any, name: Any) -> None:
        """Set up."""

    @hookspec(kind="first")
    async def before(self, ctx: Any) -> None: ...

    @hookspec(kind="around")
    async def connection(self, ctx: Any) -> None: ...


SPECS = read_hookspecs(PLUGGY, Specs, "quart_plug")


def read(plugin: Any) -> list[Implementation]:
    return read_implementations(PLUGGY, plugin, SPECS, Origin("p", "dist", "1"))


def faults(plugin: Any) -> list[str]:
    with pytest.raises(PluginHookError) as caught:
        read(plugin)
    title, *lines = str(caught.value).split("\n  - ")
    assert title == "plugin 'p' (dist 1) does not fit:"
    return [line.partition(": ")[2] for line in lines]


def test_specification_is_read_with_its_documentation() -> None:
    spec = SPECS["setup"]
    assert (spec.arguments, spec.documentation, spec.owner) == (("app", "name"), "Set up.", "quart_plug")


def test_specification_without_our_marker_is_an_error() -> None:
    class Raw:
        @pluggy.HookspecMarker(PROJECT)
        def raw(self) -> None: ...

    with pytest.raises(PluginHookError, match="'raw' does not say its kind"):
        read_hookspecs(PLUGGY, Raw, "x")


def test_every_wrong_specification_is_listed() -> None:
    class Wrong:
        @hookspec(kind="pipe")
        def nothing_to_pass_on(self) -> None: ...

        @hookspec(kind="around", colour="sync")
        def sync_around(self, ctx: Any) -> None: ...

        @hookspec(kind="first")
        def defaults(self, ctx: Any = None, *rest: Any) -> None: ...

        @hookspec(kind="first")
        def reserved(self, _ctx: Any) -> None: ...

    with pytest.raises(PluginHookError) as caught:
        read_hookspecs(PLUGGY, Wrong, "x")
    text = str(caught.value)
    for part in ("no argument to pass on", "async only", "without defaults", "*rest", "'_ctx'"):
        assert part in text


def test_specifications_may_be_static_methods() -> None:
    class Static:
        @hookspec(kind="first")
        @staticmethod
        def above(ctx: Any) -> None: ...

        @staticmethod
        @hookspec(kind="notify")
        def below(ctx: Any) -> None: ...

    specs = read_hookspecs(PLUGGY, Static, "x")
    assert {name: (spec.arguments, spec.info.kind) for name, spec in specs.items()} == {
        "above": (("ctx",), "first"),
        "below": (("ctx",), "notify"),
    }


def test_namespace_without_hooks_is_an_error() -> None:
    with pytest.raises(PluginHookError, match="specifies no hook"):
        read_hookspecs(PLUGGY, object(), "x")


def test_implementation_takes_what_it_names() -> None:
    class Plugin:
        @hookimpl
        def setup(self, name: Any, app: Any = None, other: Any = 1, *args: Any) -> None: ...

        @hookimpl(specname="before", tryfirst=True)
        async def something(self, **rest: Any) -> None: ...

        @hookimpl
        async def connection(self) -> Any:
            yield

        def helper(self) -> None: ...

    found = {each.hook: each for each in read(Plugin())}
    assert {hook: (each.positional, each.keywords) for hook, each in found.items()} == {
        "setup": (("name",), ("app",)),
        "before": ((), ("ctx",)),
        "connection": ((), ()),
    }
    assert (found["before"].tryfirst, found["setup"].tryfirst) == (True, False)
    assert str(found["setup"].origin) == "plugin 'p' (dist 1)"


def test_positional_only_arguments_are_passed_as_far_as_they_can_be() -> None:
    class Plugin:
        @hookimpl
        def setup(self, app: Any = None, other: Any = 1, name: Any = None, /) -> None: ...

    assert [(each.positional, each.keywords) for each in read(Plugin())] == [(("app",), ())]


def test_all_faults_are_listed_at_once_with_suggestions() -> None:
    class Plugin:
        @hookimpl
        def setupp(self, app: Any) -> None: ...

        @hookimpl
        async def setup(self, ap: Any, *, needed: Any) -> None: ...

        @hookimpl
        async def connection(self, ctx: Any) -> None: ...

        @hookimpl
        async def before(self, ctx: Any) -> Any:
            yield

    assert sorted(faults(Plugin())) == [
        "'before' is a hook of kind first: a function with `yield` would never run",
        "'connection' is a hook of kind around: write an `async def` with exactly one `yield`",
        "'setup' has no argument 'ap' (did you mean 'app'?); it gives app, name",
        "'setup' has no argument 'needed'; it gives app, name",
        "'setup' is a sync hook, called from code that cannot await: write `def`, not `async def`",
        "there is no hook 'setupp' (did you mean 'setup'?)",
    ]


def test_fault_tells_file_and_line() -> None:
    class Plugin:
        @hookimpl
        def unknown(self) -> None: ...

    with pytest.raises(PluginHookError) as caught:
        read(Plugin())
    line = Plugin.unknown.__code__.co_firstlineno
    assert f"{__file__}:{line}: there is no hook" in str(caught.value)


def test_unknown_hook_may_be_optional() -> None:
    class Plugin:
        @hookimpl(optionalhook=True)
        def of_another_plugin(self, whatever: Any) -> None: ...

    assert read(Plugin()) == []


def test_pluggy_wrapper_is_an_error() -> None:
    class Plugin:
        @pluggy.HookimplMarker(PROJECT)(wrapper=True)
        def before(self) -> Any:
            yield

    assert faults(Plugin()) == ["'before' is marked as a pluggy wrapper; use a hook of kind `around` instead"]
