"""One server for the tests of one example: the module names it as `EXAMPLE`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Server

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The example under `quart-plug run`. Nothing that a client does may leave a traceback in its output."""
    with Server(f"{request.module.EXAMPLE}:app", HERE / "apps", path=(HERE / "launchers",)) as running:
        yield running
        assert running.stop() == 0, running.output
    assert "Traceback" not in running.output, running.output
    assert "never retrieved" not in running.output, running.output
    assert "never awaited" not in running.output, running.output
