"""A board of notes and pictures: an ordinary Quart application.

It is written to use much of what Quart documents rather than to be short. `create_app` makes it.
"""

from .factory import create_app

__all__ = ["create_app"]
