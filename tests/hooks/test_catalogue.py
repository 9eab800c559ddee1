"""Each hook of the kernel does what its documentation says; and a hook that is not called is noticed."""

from __future__ import annotations

import importlib

import pytest

from quart_plug.hooks import specs
from quart_plug.hooks.calls import Implementation
from quart_plug.hooks.markers import SPEC_ATTRIBUTE
from quart_plug.hooks.registry import Registry
from tests.support.catalogue import SCENARIOS, Scenario

for module in ("setting_up", "connections", "rest"):
    importlib.import_module(f"tests.support.catalogue.{module}")

HOOKS = [name for name, value in vars(specs).items() if hasattr(value, SPEC_ATTRIBUTE)]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_scenario(hook: str) -> None:
    assert any(each.hook == hook for each in SCENARIOS), f"write a scenario for {hook!r} in tests/support/catalogue"


def test_a_scenario_has_a_hook() -> None:
    assert {each.hook for each in SCENARIOS} <= set(HOOKS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_a_hook_does_what_it_is_for(scenario: Scenario) -> None:
    await scenario.run()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_a_hook_that_nobody_calls_is_noticed(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if its call sites were deleted: its scenario fails."""
    known = Registry.implementations

    def implementations(self: Registry, hook: str) -> list[Implementation]:
        return [] if hook == scenario.hook else known(self, hook)

    monkeypatch.setattr(Registry, "implementations", implementations)
    with pytest.raises(Exception):  # noqa: B017 - most often an AssertionError, or what the default does not have
        await scenario.run()
