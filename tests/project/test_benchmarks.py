"""What `make bench` rests on: the cases of plugins answer, and what is said about a ratio is right.

How long anything takes is asked there, and not here.
"""

from __future__ import annotations

import importlib
import random
from pathlib import Path
from typing import Any

import pytest

from quart_plug.hooks.selection import CORE

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


async def test_both_applications_of_each_case_answer(load: Any) -> None:
    driver, cases = load("driver"), load("plugin_cases")
    made = [case for case in cases.PLUGIN_CASES if case.make is not None]
    assert len(made) >= 5
    for case in made:
        for app in case.make():
            status, _, body = await driver.answer(app, driver.Call())
            assert (status, body) == (200, b"Hello, World!"), case.name


async def test_the_plugins_of_the_cases_are_called_as_their_names_say(load: Any) -> None:
    driver, cases = load("driver"), load("plugin_cases")
    spans: list[str] = []
    for make, expected in (
        (cases.idle_plugins, 0),
        (cases.before_hooks, 10),
        (cases.switched_off, 0),
        (cases.tracing_stopped, 10),
    ):
        _, app = make()
        app.setup_plugins()
        assert len(app.hooks.names) == len(CORE) + 10
        app.hooks.trace(lambda span: spans.append(span.hook))
        spans.clear()
        await driver.answer(app, driver.Call())
        assert spans.count("request_before") == expected, make.__name__


def test_the_interval_holds_the_median(load: Any) -> None:
    """For a distribution with a long tail, as times have, in about 95 of 100 tries."""
    estimate = load("pairs").estimate
    source = random.Random(4)
    held = 0
    for _ in range(400):
        found = estimate([source.expovariate(1) for _ in range(60)])
        assert found.low <= found.median <= found.high
        held += found.low <= 0.6931 <= found.high
    assert 0.93 <= held / 400 <= 0.995


@pytest.mark.parametrize(("cost", "reached"), [(1.0, True), (1.5, False)])
async def test_rounds_are_added_until_it_is_decided(load: Any, cost: float, reached: bool) -> None:
    source = random.Random(4)

    async def base() -> float:
        return source.uniform(0.9, 1.1)

    async def other() -> float:
        return cost * source.uniform(0.9, 1.1)

    ratio, difference = await load("pairs").compare(base, other, 1.1, 20, 1000)
    assert ratio.reaches(1.1) is reached
    assert ratio.is_decided(1.1)
    assert 20 <= ratio.rounds < 1000
    assert difference.low <= cost - 1.0 <= difference.high


async def test_what_cannot_be_told_apart_ends_as_well(load: Any) -> None:
    source = random.Random(4)

    async def sample() -> float:
        return source.uniform(0.5, 1.5)

    ratio, _ = await load("pairs").compare(sample, sample, 1.0, 20, 60)
    assert ratio.rounds == 60
    assert ratio.low < 1.0 < ratio.high


@pytest.mark.parametrize("framework", ["bare", "quart-plug"])
async def test_every_member_of_a_room_gets_a_broadcast_once(load: Any, framework: str) -> None:
    rooms, members = load("apps.rooms"), load("members")
    room = rooms.make(framework)
    everybody = members.Members(room.app, "/room", 20)
    await everybody.open()
    for count in (1, 2):
        await room.broadcast(rooms.VALUE)
        await everybody.everybody_got(count)
    await everybody.close()
