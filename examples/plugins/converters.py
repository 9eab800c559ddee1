"""More kinds of variables in URLs: `<day:when>` is a date, `<slug:title>` words with hyphens, `<id:number>` no count.

@app.get("/calendar/<day:when>")      # /calendar/2026-02-03; 2026-02-30 is a 404
@app.get("/orders/<id:number>")       # /orders/h7 and not /orders/17: nobody counts our orders by looking
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from werkzeug.routing import BaseConverter, ValidationError

from quart_plug import Quart, hookimpl

DIGITS = "0123456789bcdfghjkmnpqrstvwxz"  # without vowels: no words come out
FACTOR, MODULUS = 387_420_489, 2**61 - 1  # a prime modulus: each number has exactly one partner


class Day(BaseConverter):
    """A date, ISO 8601."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError(f"{value} is no day") from None

    def to_url(self, value: date) -> str:
        return value.isoformat()


class Slug(BaseConverter):
    """Lower-case words and numbers with hyphens between them."""

    regex = r"[a-z0-9]+(?:-[a-z0-9]+)*"


class Scattered(BaseConverter):
    """A number, from 0 to 2 ** 61 - 2, that does not show how many there are.

    It hides, and does not protect: whoever knows this file can count.
    """

    regex = f"[{DIGITS}]{{1,13}}"

    def to_python(self, value: str) -> int:
        number = 0
        for digit in value:
            number = number * len(DIGITS) + DIGITS.index(digit)
        if number >= MODULUS or self._text(number) != value:  # a leading zero would be a second address
            raise ValidationError(f"{value} is no id")
        return number * pow(FACTOR, -1, MODULUS) % MODULUS

    def to_url(self, value: int) -> str:
        return self._text(value * FACTOR % MODULUS)

    def _text(self, number: int) -> str:
        digits = ""
        while number or not digits:
            number, rest = divmod(number, len(DIGITS))
            digits = DIGITS[rest] + digits
        return digits


@hookimpl
def url_converters(app: Quart) -> Mapping[str, type]:
    return {"day": Day, "slug": Slug, "id": Scattered}
