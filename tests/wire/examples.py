"""The seed's six examples as they stand, in one application, so that one process serves them all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import quart_plug

SEED = Path(__file__).parents[1] / "seed"
sys.path[:0] = [str(SEED / "apps"), str(SEED / "launchers")]
quart_plug.install_as_quart()

app = quart_plug.Quart("examples")
# Each example makes an application of its own: here they all get this one.
quart_plug.Quart = lambda name: app  # type: ignore[assignment,misc]  # see above

import authentication  # noqa: E402, F401
import basic  # noqa: E402, F401
import broadcasting  # noqa: E402, F401
import errors  # noqa: E402, F401
import json_messages  # noqa: E402, F401
import scaled_heartbeat  # noqa: E402, F401


@app.get("/")
async def index() -> str:
    return "<!doctype html><title>examples</title>"


@app.before_serving
async def say() -> None:
    print(f"started {os.getpid()}", flush=True)
