"""JSON as the board writes it."""

from __future__ import annotations

import dataclasses
from typing import Any

from quart.json.provider import DefaultJSONProvider

from .storage import Note


class BoardJSONProvider(DefaultJSONProvider):
    """Notes without their texts, sets sorted, and no blanks."""

    compact = True
    sort_keys = False
    mimetype = "application/json"

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, Note):
            fields = dataclasses.asdict(value)
            del fields["text"]
            return fields
        if isinstance(value, (set, frozenset)):
            return sorted(value)
        return DefaultJSONProvider.default(value)
