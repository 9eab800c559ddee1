"""The chat example, imported anew for each test."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

CHAT = Path(__file__).parents[2] / "examples" / "chat"
MODULES = ("app", "chat_shortcodes")


@pytest.fixture
def load_chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], ModuleType]]:
    """`load_chat()` imports the example's `app`, with the environment as it then is."""
    for name in os.environ:
        if name.startswith(("CHAT_", "QUART")):
            monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(str(CHAT))
    kept = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    yield lambda: importlib.import_module("app")
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(kept)


@pytest.fixture
def chat(load_chat: Callable[[], ModuleType]) -> ModuleType:
    return load_chat()
