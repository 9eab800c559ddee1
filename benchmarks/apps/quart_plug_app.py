"""The cases in quart-plug, all core plugins on."""

from __future__ import annotations

from typing import Any

import quart_plug
from apps.flasklike import build


def make(case: str) -> Any:
    return build(quart_plug, case, quart_plug.ConnectionClosed)
