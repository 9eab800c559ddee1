"""The example plugins, enabled as a project enables its own: by name, from a folder on the path."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart

FOLDER = Path(__file__).parents[3] / "examples" / "plugins"
NAMES = [path.stem for path in FOLDER.glob("*.py")]

MakeApp = Callable[..., Quart]


@pytest.fixture
def make_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeApp]:
    """`make_app("audit", "rooms", audit={"file": …})`: an app with these plugins, configured."""
    monkeypatch.syspath_prepend(str(FOLDER))
    kept = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}

    def make(*plugins: str, **config: dict[str, Any]) -> Quart:
        app = Quart("shop", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
        app.config.update(PLUGINS=plugins, PLUGIN_CONFIG=config)
        return app

    yield make
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(kept)
