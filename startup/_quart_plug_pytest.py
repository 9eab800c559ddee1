"""The plugin of pytest's that comes with quart-plug: the fixture `plug`, and a look at what a test with it left behind.

pytest imports this at each start in an environment with quart-plug, so it lies outside of the package and imports
nothing of it before the fixture is asked for; `-p no:quart-plug` turns it off.

A distribution with a plugin of pytest's has all of its modules rewritten, and a warning for each that was imported
before pytest, unless its docstring has the word that this one ends with.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

TYPE_CHECKING = False  # typing is not imported for its own
if TYPE_CHECKING:
    from typing import Any

    from quart_plug.testing import Plug

    _kept: pytest.StashKey[Plug]

_kept = pytest.StashKey()


@pytest.fixture
def plug(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Plug, None, None]:
    """Makes quart-plug apps with exactly these plugins: `app = plug("timing")`. Nothing may be left behind."""
    from quart_plug.testing import Plug

    made = Plug(make_folder=lambda: tmp_path_factory.mktemp("plug"))
    request.node.stash[_kept] = made
    with made.until_the_end():
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that failed has one error, which is its own."""
    try:
        return (yield)
    except BaseException:
        if _kept in item.stash:
            del item.stash[_kept]
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Look for leaks when every fixture of the test has taken back its own."""
    result = yield
    made = item.stash.get(_kept, None)
    if made is not None:
        del item.stash[_kept]
        made.check()
    return result
