"""Tries the lines of docs/how_to/moving_from_flask.md: Flask's way and the way here come to the same."""

from . import application, contexts, new, programs, requests, responses, settings, testing, views
from .shared import row

__all__ = [
    "application",
    "contexts",
    "new",
    "programs",
    "requests",
    "responses",
    "row",
    "settings",
    "testing",
    "views",
]
