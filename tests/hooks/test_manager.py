"""One app's plugins: registered in the order of their calls, and loaded each on its own."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug.exceptions import (
    PluginError,
    PluginHookError,
    PluginLoadError,
    PluginNotFound,
    PluginSettingsError,
)
from quart_plug.hooks import PluginManager, hookimpl, hookspec, notify_change

Make = Callable[..., PluginManager]


class Named:
    """A plugin that says its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def names(self) -> str:
        return self.name


class First(Named):
    names = hookimpl(tryfirst=True)(lambda self: self.name)


class Last(Named):
    names = hookimpl(trylast=True)(lambda self: self.name)


# Hooks and registration


def test_first_registered_is_called_first_within_tryfirst_and_trylast(manager: Make) -> None:
    hooks = manager()
    for plugin in (Last("e"), Named("c"), First("a"), Last("f"), Named("d"), First("b")):
        hooks.register(plugin, plugin.name)
    chain = hooks.call("names")
    assert chain is not None
    assert chain(None) == ["a", "b", "c", "d", "e", "f"]
    assert [each.plugin for each in hooks.implementations("names")] == list("abcdef")
    assert hooks.names == ("e", "c", "a", "f", "d", "b")


def test_default_provider_of_a_slot_is_asked_last(manager: Make) -> None:
    class Provider:
        def __init__(self, answer: str) -> None:
            self.answer = answer

        @hookimpl
        def provider(self) -> str:
            return self.answer

    hooks = manager()
    hooks.register(Provider("default"), "json")
    hooks.register(Provider("better"), "msgspec")
    chain = hooks.call("provider")
    assert chain is not None
    assert chain(None, "x") == "better"
    assert (hooks.provider_of("provider"), hooks.provider_of("names")) == ("json", None)


def test_chain_is_kept_until_the_generation_changes(manager: Make) -> None:
    hooks = manager()
    assert hooks.call("names") is None
    generation = hooks.generation
    hooks.register(Named("a"), "a")
    chain = hooks.call("names")
    assert hooks.generation > generation
    assert hooks.call("names") is chain is not None
    hooks.register(Named("b"), "b")
    assert hooks.call("names") is not chain
    assert chain(None) == ["a"]  # what is bound in a plan does not change under it


def test_chain_may_leave_plugins_out(manager: Make) -> None:
    hooks = manager()
    hooks.register(Named("a"), "a")
    hooks.register(Named("b"), "b")
    chain = hooks.call("names", frozenset({"a"}))
    assert chain is not None
    assert chain(None) == ["b"]
    assert hooks.call("names", frozenset({"a", "b"})) is None


def test_call_one_gives_one_plugins_own_result(manager: Make) -> None:
    hooks = manager()
    hooks.register(Named("a"), "a")
    (implementation,) = hooks.implementations("names")
    assert hooks.call_one(implementation)("app") == "a"


async def test_async_and_around_hooks_are_chained(manager: Make) -> None:
    log = []

    class Plugin:
        @hookimpl
        async def before(self, ctx: Any) -> Any:
            await asyncio.sleep(0)
            return ctx

        @hookimpl
        async def around(self, ctx: Any) -> Any:
            log.append("in")
            yield
            log.append("out")

    hooks = manager()
    hooks.register(Plugin(), "p")
    before, around = hooks.call("before"), hooks.call("around")
    assert before is not None
    assert around is not None
    async with around(1):
        log.append(await before("body"))
    assert log == ["in", "body", "out"]


def test_unknown_hook_is_an_error_with_a_suggestion(manager: Make) -> None:
    with pytest.raises(PluginHookError, match=r"no hook 'nams' \(did you mean 'names'\?\)"):
        manager().call("nams")


def test_kernels_own_specifications_are_fit() -> None:
    from quart_plug.hooks import specs

    hooks = PluginManager(core=())
    hooks.add_hookspecs(specs)
    assert all(spec.documentation for spec in hooks.specs.values())
    assert hooks.provider_of("json_provider") == "json"


def test_listeners_are_told_once_for_each_change_and_by_notify_change(manager: Make) -> None:
    hooks = manager()
    told: list[int] = []
    hooks.on_change.append(lambda: told.append(hooks.generation))
    hooks.register(Named("a"), "a")
    chain = hooks.call("names")
    notify_change()
    assert hooks.call("names") is not chain
    hooks.unregister("a")
    assert told == sorted(set(told))
    assert len(told) == 3


def test_change_that_a_plugin_tells_while_it_is_imported_is_told_once(site: Any, specs: Any) -> None:
    imports = "from quart_plug.hooks import hookimpl, notify_change\n"
    site.module("loud", imports + "notify_change()\n@hookimpl\ndef names(): ...\n")
    hooks = PluginManager(["loud"], core=())
    hooks.add_hookspecs(specs)
    hooks.select(environ={})
    told: list[int] = []
    hooks.on_change.append(lambda: told.append(hooks.generation))
    hooks.load()
    assert told == [hooks.generation]


def test_manager_is_not_kept_alive_by_the_listeners(manager: Make) -> None:
    hooks = manager()
    gone = weakref.ref(hooks)
    del hooks
    gc.collect()
    assert gone() is None


def test_register_gives_the_name_and_refuses_a_second_of_it(manager: Make) -> None:
    hooks = manager()
    plugin = Named("a")
    name = hooks.register(plugin)
    assert name.endswith(":Named")
    assert hooks.get_plugin(name) is plugin
    with pytest.raises(PluginSettingsError, match=f"'x' is registered already as {name!r}"):
        hooks.register(plugin, "x")
    with pytest.raises(PluginSettingsError, match="registered already;"):
        hooks.register(Named("b"), name)


def test_faulty_plugin_leaves_nothing_behind(manager: Make) -> None:
    class Faulty(Named):
        @hookimpl
        def setupp(self) -> None: ...

        @hookimpl
        def provider(self, nam: str) -> None: ...

    hooks = manager()
    with pytest.raises(PluginHookError, match=r"(?s)did you mean 'name'.*did you mean 'setup'"):
        hooks.register(Faulty("a"), "a")
    assert hooks.call("names") is None
    assert hooks.names == ()
    assert len(hooks.report()) == 0
    hooks.register(Named("a"), "a")


def test_object_without_hooks_is_not_taken_for_a_plugin(manager: Make) -> None:
    with pytest.raises(PluginHookError, match="implements no hook; mark its functions"):
        manager().register(object(), "o")


def test_unregister_takes_those_that_require_it_along(manager: Make) -> None:
    class Needy(Named):
        __quart_plug__ = {"requires": ["base"]}

    hooks = manager()
    base = Named("base")
    hooks.register(base, "base")
    hooks.register(Needy("needy"), "needy")
    hooks.register(Named("other"), "other")
    assert hooks.unregister("base") is base
    assert hooks.names == ("other",)
    report = hooks.report()
    assert (report["base"].status, report["needy"].status) == ("disabled", "blocked")
    with pytest.raises(PluginError, match="'base' is not active, it is disabled"):
        hooks.unregister("base")
    with pytest.raises(PluginNotFound, match="did you mean 'base'"):
        hooks.unregister("bass")
    hooks.register(base, "base")
    assert hooks.is_active("base")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"requires": "absent"}, "it requires 'absent', not active here"),
        ({"conflicts": "base"}, "it conflicts with 'base'"),
        ({"before": "base", "after": "base"}, "its order cannot be resolved: base -> p -> base"),
        ({"api": ">=2"}, "works with version >=2 of the plugin API"),
    ],
)
def test_register_keeps_the_relations(manager: Make, declared: dict[str, Any], message: str) -> None:
    class Plugin(Named):
        __quart_plug__ = declared

    hooks = manager()
    hooks.register(Named("base"), "base")
    with pytest.raises(PluginLoadError, match=message):
        hooks.register(Plugin("p"), "p")
    assert hooks.names == ("base",)


def test_plugin_registered_later_may_come_before(manager: Make) -> None:
    class Early(Named):
        __quart_plug__ = {"before": ["a"]}

    hooks = manager()
    hooks.register(Named("a"), "a")
    hooks.register(Early("early"), "early")
    assert hooks.names == ("early", "a")


# Hooks that plugins specify


class MoreSpecs:
    @hookspec(kind="collect", colour="sync")
    def extra(self, thing: Any) -> None:
        """A plugin's own hook."""


class Owner(Named):
    __quart_plug__ = {"hookspecs": MoreSpecs}


class User:
    @hookimpl(optionalhook=True)
    def extra(self, thing: Any) -> Any:
        return thing


def test_plugin_whose_only_hook_is_of_an_absent_plugin(manager: Make) -> None:
    """It waits: the one that specifies the hook may come later."""
    hooks = manager()
    hooks.register(User(), "user")
    assert hooks.report()["user"].hooks == ()
    hooks.register(Owner("owner"), "owner")
    assert [each.plugin for each in hooks.implementations("extra")] == ["user"]


def test_plugin_brings_hooks_which_go_with_it(manager: Make) -> None:
    hooks = manager()
    hooks.register(Named("x"), "x")
    hooks.register(Owner("owner"), "owner")
    assert hooks.spec("extra").owner == "owner"

    hooks.register(User(), "user")
    chain = hooks.call("extra")
    assert chain is not None
    assert chain(1) == [1]

    hooks.unregister("owner")
    with pytest.raises(PluginHookError, match="no hook 'extra'"):
        hooks.call("extra")
    chain = hooks.call("names")
    assert chain is not None
    assert chain(None) == ["x"]
    hooks.register(Owner("owner"), "owner")
    assert hooks.is_active("user")


def test_optional_implementation_is_used_once_the_hook_is_there(manager: Make) -> None:
    class Both(Named):
        extra = User.extra

    hooks = manager()
    hooks.register(Both("both"), "both")
    hooks.register(Owner("owner"), "owner")
    assert [each.plugin for each in hooks.implementations("extra")] == ["both"]


def test_plugin_whose_hook_is_gone_fails(manager: Make) -> None:
    class Firm(Named):
        @hookimpl
        def extra(self) -> None: ...

    hooks = manager()
    hooks.register(Owner("owner"), "owner")
    hooks.register(Firm("firm"), "firm")
    hooks.unregister("owner")
    assert hooks.report()["firm"].status == "failed"
    assert hooks.names == ()


def test_hook_is_specified_once(manager: Make) -> None:
    hooks = manager()
    hooks.register(Owner("owner"), "owner")
    with pytest.raises(PluginHookError, match=r"exist already: 'extra' \(of owner\)"):
        hooks.register(Owner("again"), "again")
    assert hooks.names == ("owner",)
    assert hooks.spec("extra").owner == "owner"


@pytest.mark.parametrize("thing", ["inspector", None, 3, b"x", ["json"]])
def test_what_is_no_plugin_is_refused_by_what_it_is(manager: Make, thing: Any) -> None:
    hooks = manager()
    with pytest.raises(PluginSettingsError) as caught:
        hooks.register(thing)
    assert str(caught.value) == (
        f"register() takes a module or an object, not {thing!r}; a name or an import string goes into"
        " Quart(plugins=[…]) or PLUGINS"
    )
    assert len(hooks.report()) == 0
