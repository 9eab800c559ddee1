"""The cases in Quart: the code of quart-plug, with the other import."""

from __future__ import annotations

import asyncio
from typing import Any

import quart

from apps.flasklike import build


def make(case: str) -> Any:
    return build(quart, case, asyncio.CancelledError)
