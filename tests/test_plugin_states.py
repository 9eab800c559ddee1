"""Plugins come, go and fail in any order: the app has what a naive model says, and in the end nothing of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quart_plug import Quart, hookimpl, hookspec
from quart_plug.app_tables import tables_of
from quart_plug.exceptions import PluginError, PluginLoadError
from quart_plug.tables import ObservedDict, ObservedList

NAMES = ("a", "b", "c", "d", "e")
KEYS = ("one", "two")


@dataclass(frozen=True)
class Made:
    """What a plugin of the model declares and does."""

    name: str
    requires: frozenset[str]
    before: frozenset[str]
    conflicts: frozenset[str]
    sets: frozenset[str]
    defaults: frozenset[str]
    registers: bool
    fails: bool

    def plugin(self) -> Any:
        return type("Plugin", (Acting,), {})(self)


class Acting:
    """The plugin of a `Made`."""

    def __init__(self, made: Made) -> None:
        self.made = made
        name = made.name
        self.__quart_plug__ = {
            "name": name,
            "requires": sorted(made.requires),
            "before": sorted(made.before),
            "conflicts": sorted(made.conflicts),
            "hookspecs": [type("Specs", (), {f"hook_of_{name}": staticmethod(hookspec(kind="notify")(nothing))})],
        }

    @hookimpl
    def configuration_defaults(self) -> dict[str, str]:
        return {f"DEFAULT_{key.upper()}": self.made.name for key in sorted(self.made.defaults)}

    @hookimpl
    def shell_context(self) -> dict[str, str]:
        return {"by": self.made.name}

    @hookimpl
    def template_filters(self) -> dict[str, Any]:
        return dict.fromkeys(self.made.sets, self.made.name)

    @hookimpl
    def setup(self, app: Quart) -> None:
        name = self.made.name
        app.add_url_rule(f"/{name}", name, nothing)
        app.add_url_rule("/shared", f"shared_{name}", nothing)
        app.before_request_funcs[None].append(name)
        app.after_websocket_funcs[name].append(name)
        app.error_handler_spec[None][404][LookupError] = name
        for key in self.made.sets:
            app.extensions[key] = name
            app.config[f"SET_{key.upper()}"] = name
        if self.made.registers:
            app.hooks.register(type("Inner", (Inner,), {})(), f"inner of {name}")
        if self.made.fails:
            raise LookupError(name)


class Inner:
    @hookimpl
    def setup(self, app: Quart) -> None:
        app.shell_context_processors.append(dict)


async def nothing() -> None:
    """A view, and the body of a hook."""


def some(but: str) -> st.SearchStrategy[frozenset[str]]:
    return st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from([n for n in NAMES if n != but]), max_size=2))


def made(name: str) -> st.SearchStrategy[Made]:
    keys = st.frozensets(st.sampled_from(KEYS))
    rarely = st.integers(0, 3).map(lambda number: number == 3)
    seldom = st.one_of(st.just(frozenset[str]()), some(name))
    return st.builds(Made, st.just(name), some(name), some(name), seldom, keys, keys, rarely, rarely)


def content(app: Quart) -> dict[Any, Any]:
    """Everything that the app keeps; empty tables say nothing."""
    found = {}
    for table in tables_of(app):
        picture = table.picture()
        if isinstance(picture, dict):
            picture = {k: v for k, v in picture.items() if type(v) not in (ObservedDict, ObservedList)}
        if picture:
            found[table.path] = picture
    return found


class Coming(RuleBasedStateMachine):
    """active  the model: the plugins that are active, in the order in which they came."""

    @initialize(plugins=st.tuples(*(made(name) for name in NAMES)))
    def start(self, plugins: tuple[Made, ...]) -> None:
        self.pool = {each.name: each for each in plugins}
        self.active: list[Made] = []
        self.app = Quart(__name__, static_folder=None)
        self.app.config["PLUGINS_STRICT"] = False
        self.app.extensions["one"] = "own"
        self.app.config["DEFAULT_ONE"] = "own"
        self.app.setup_plugins()
        assert self.app.jinja_env is not None
        self.before = content(self.app)
        self.specs = set(self.app.hooks.specs)

    # The model

    def there(self) -> set[str]:
        return {each.name for each in self.active}

    def is_possible(self, new: Made) -> bool:
        if new.name in self.there() or new.fails or not new.requires <= self.there():
            return False
        if any(other.name in new.conflicts or new.name in other.conflicts for other in self.active):
            return False
        return not self.has_cycle([*self.active, new])

    def has_cycle(self, plugins: list[Made]) -> bool:
        """Take away who has to wait for nobody; a cycle is left."""
        left = list(plugins)
        while left:
            names = {each.name for each in left}
            free = [
                each
                for each in left
                if not each.requires & names and not any(each.name in o.before for o in left if o is not each)
            ]
            if not free:
                return True
            left = [each for each in left if each not in free]
        return False

    def go(self, name: str) -> None:
        """It goes, and who requires it, and so on."""
        gone = {name}
        while more := {each.name for each in self.active if each.requires & gone} - gone:
            gone |= more
        self.active = [each for each in self.active if each.name not in gone]

    # What happens

    @rule(name=st.sampled_from(NAMES))
    def register(self, name: str) -> None:
        new = self.pool[name]
        if self.is_possible(new):
            assert self.app.hooks.register(new.plugin()) == name
            self.active.append(new)
        else:
            before = content(self.app)
            with pytest.raises(PluginError):
                self.app.hooks.register(new.plugin())
            assert content(self.app) == before

    @precondition(lambda self: self.active)
    @rule(data=st.data())
    def unregister(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([each.name for each in self.active]))
        self.app.hooks.unregister(name)
        self.go(name)

    @precondition(lambda self: self.active)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([each.name for each in self.active]))
        gone = self.app.hooks.mark_failed(name, LookupError("why"), "while it was at work")
        assert gone[-1] == name
        self.go(name)
        assert self.app.hooks.report()[name].status == "failed"

    @rule(name=st.sampled_from(NAMES))
    def unregister_what_is_not_there(self, name: str) -> None:
        if name not in self.there():
            with pytest.raises(PluginError):
                self.app.hooks.unregister(name)

    # What has to hold

    @invariant()
    def the_app_has_what_the_model_says(self) -> None:
        if not hasattr(self, "app"):
            return
        app, came = self.app, [each.name for each in self.active]
        inner = [f"inner of {each.name}" for each in self.active if each.registers]
        order = [name for name in app.hooks.names if name in NAMES]
        assert sorted(order) == sorted(came)
        assert sorted(name for name in app.hooks.names if name.startswith("inner")) == sorted(inner)
        for each in self.active:
            assert all(order.index(name) < order.index(each.name) for name in each.requires)
            assert all(order.index(each.name) < order.index(name) for name in each.before if name in order)
        assert [result.value["by"] for result in app.hooks.results("shell_context", app)] == order
        assert set(app.hooks.specs) == self.specs | {f"hook_of_{name}" for name in came}
        assert [rule.endpoint for rule in app.url_map.iter_rules()] == [e for n in came for e in (n, f"shared_{n}")]
        assert {rule.endpoint: rule.plugin for rule in app.url_map.iter_rules()} == {
            endpoint: name for name in came for endpoint in (name, f"shared_{name}")
        }
        assert app.before_request_funcs.get(None, []) == came
        assert {key for key, functions in app.after_websocket_funcs.items() if functions} == set(came)
        handler = app.error_handler_spec[None][404].get(LookupError)
        assert handler == (came[-1] if came else None)
        assert len(app.shell_context_processors) == len(inner)
        for key in KEYS:
            set_by = [each.name for each in self.active if key in each.sets]
            last = set_by[-1] if set_by else None
            assert app.extensions.get(key) == (last or {"one": "own"}.get(key))
            assert app.config.get(f"SET_{key.upper()}") == last
            offered = [name for name in order if key in self.pool[name].defaults]
            expected = "own" if key == "one" else (offered[0] if offered else None)
            assert app.config.get(f"DEFAULT_{key.upper()}") == expected
            filtering = [name for name in order if key in self.pool[name].sets]
            assert app.jinja_env.filters.get(key) == (filtering[-1] if filtering else None)

    def teardown(self) -> None:
        if not hasattr(self, "app"):
            return
        for name in list(self.there()):
            if self.app.hooks.is_active(name):
                self.app.hooks.unregister(name)
        assert content(self.app) == self.before
        assert set(self.app.hooks.specs) == self.specs
        assert not any(self.app.plugin_setup.footprints.of(name) for name in NAMES)


Coming.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestComing = Coming.TestCase


def test_a_plugin_that_fails_says_which(
) -> None:
    app = Quart(__name__)
    app.setup_plugins()
    failing = Made("a", *(frozenset[str]() for _ in range(5)), registers=True, fails=True)
    with pytest.raises(PluginLoadError, match="plugin 'a' cannot be registered: LookupError: a"):
        app.hooks.register(failing.plugin())
    assert not app.shell_context_processors
