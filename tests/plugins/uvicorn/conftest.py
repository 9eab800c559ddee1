"""Uvicorn in the test's own loop."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug_uvicorn.serving import UvicornServer
from tests.support.serving import connect, get, make_app, raw, serve

__all__ = ["connect", "get", "make_app", "raw", "serve"]


@pytest.fixture
def server_class() -> Any:
    return UvicornServer
