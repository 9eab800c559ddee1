"""Tries the lines of docs/how_to/moving_from_quart.md: what each does on the real Quart, here, and under the alias."""

from . import bodies, changes, requests, tests, websockets
from .shared import row

__all__ = ["bodies", "changes", "requests", "row", "tests", "websockets"]
