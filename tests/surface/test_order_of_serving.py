"""The order of what happens around the serving: start-up, shutdown, background tasks; see test_order_of_events.py."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import current_app
from tests.support.events import Boom, Recorder, Scenario, events


async def starts_a_background_task(recorder: Recorder) -> None:
    begun = asyncio.Event()

    async def task() -> None:
        recorder.note("background task begins")
        begun.set()
        await current_app.shutdown_event.wait()
        recorder.note("background task ends")
        raise Boom

    current_app.add_background_task(task)
    await begun.wait()


def serving(acts: dict[str, Any] | None = None) -> Scenario:
    return Scenario(method="LIFESPAN", acts=acts or {})


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    "start-up and shutdown": (
        serving(),
        """
        appcontext_pushed, before_serving 1, before_serving 2, while_serving 1 starts, while_serving 2 starts,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> lifespan.startup.complete, appcontext_pushed, while_serving 2 ends, while_serving 1 ends,
        after_serving 1, after_serving 2, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> lifespan.shutdown.complete
        """,
    ),
    "a background task, for which the shutdown waits": (
        serving({"before_serving 1": starts_a_background_task}),
        """
        appcontext_pushed, before_serving 1, appcontext_pushed, background task begins, before_serving 2,
        while_serving 1 starts, while_serving 2 starts, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> lifespan.startup.complete, background task ends,
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, got_background_exception (Boom), appcontext_pushed, while_serving 2 ends,
        while_serving 1 ends, after_serving 1, after_serving 2, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> lifespan.shutdown.complete
        """,
    ),
    "a before function fails": (
        serving({"before_serving 1": Boom}),
        """
        appcontext_pushed, before_serving 1, teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, got_serving_exception (Boom),
        -> lifespan.startup.failed
        """,
    ),
    "the start of a generator fails": (
        serving({"while_serving 2 starts": Boom}),
        """
        appcontext_pushed, before_serving 1, before_serving 2, while_serving 1 starts, while_serving 2 starts,
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, got_serving_exception (Boom), -> lifespan.startup.failed
        """,
    ),
    "an after function fails": (
        serving({"after_serving 1": Boom}),
        """
        appcontext_pushed, before_serving 1, before_serving 2, while_serving 1 starts, while_serving 2 starts,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> lifespan.startup.complete, appcontext_pushed, while_serving 2 ends, while_serving 1 ends,
        after_serving 1, teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, got_serving_exception (Boom),
        -> lifespan.shutdown.failed
        """,
    ),
    "the end of a generator fails": (
        serving({"while_serving 1 ends": Boom}),
        """
        appcontext_pushed, before_serving 1, before_serving 2, while_serving 1 starts, while_serving 2 starts,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> lifespan.startup.complete, appcontext_pushed, while_serving 2 ends, while_serving 1 ends,
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, got_serving_exception (Boom), -> lifespan.shutdown.failed
        """,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_order_of_serving(name: str) -> None:
    scenario, expected = SCENARIOS[name]
    assert await scenario.play() == events(expected)
