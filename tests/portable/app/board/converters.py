"""URL converters of the board's own."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import BaseConverter, ValidationError


class ListConverter(BaseConverter):
    """`red+green` as a list."""

    part_isolating = True
    regex = r"[^/]+"

    def to_python(self, value: str) -> list[str]:
        return value.split("+")

    def to_url(self, value: Any) -> str:
        return "+".join(super(ListConverter, self).to_url(part) for part in value)


class EvenConverter(BaseConverter):
    """An even number; `even(limit=10)` sets the largest."""

    regex = r"\d+"

    def __init__(self, map: Any, limit: int = 100) -> None:
        super().__init__(map)
        self.limit = limit

    def to_python(self, value: str) -> int:
        number = int(value)
        if number % 2 or number > self.limit:
            raise ValidationError()
        return number

    def to_url(self, value: int) -> str:
        return str(value)
