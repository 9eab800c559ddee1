"""A house style for templates: how numbers, dates and money look, and macros that every template can import.

{{ order.total | money }}  {% if order.placed is recent %}new{% endif %}  {{ today() }}
{% from "house/forms.html" import field %}{{ field("name", "Your name") }}

[plugins.house_style]
currency = "€"
recent_days = 7
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from quart_plug import Quart, hookimpl

FORMS = """\
{% macro field(name, label, type="text", value="") -%}
<label for="{{ name }}">{{ label }}</label>
<input id="{{ name }}" name="{{ name }}" type="{{ type }}" value="{{ value }}">
{%- endmacro %}
"""


@dataclass
class HouseStyle:
    """currency  put after amounts.
    recent_days  how long a date is `recent`.
    """

    currency: str = "€"
    recent_days: int = 7


@hookimpl
def configuration_schema(app: Quart) -> type:
    return HouseStyle


@hookimpl
def template_filters(app: Quart) -> Mapping[str, Callable[..., str]]:
    currency = app.plugin_config(HouseStyle).currency

    def money(amount: Decimal | int | float | str) -> str:
        """1234.5 -> "1 234.50 €", with spaces that do not break the line."""
        exact = Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return f"{exact:,}".replace(",", "\N{NO-BREAK SPACE}") + f"\N{NO-BREAK SPACE}{currency}"

    def day(value: date) -> str:
        """Readable everywhere: "3 February 2026"."""
        return f"{value.day} {value:%B %Y}"

    return {"money": money, "day": day}


@hookimpl
def template_tests(app: Quart) -> Mapping[str, Callable[[date], bool]]:
    period = timedelta(days=app.plugin_config(HouseStyle).recent_days)
    return {"recent": lambda value: date.today() - value <= period}


@hookimpl
def template_globals(app: Quart) -> Mapping[str, Any]:
    return {"today": date.today}


@hookimpl
def template_context(app: Quart) -> Mapping[str, Any]:
    """The settings themselves, for a page that explains them."""
    return {"house_style": asdict(app.plugin_config(HouseStyle))}


@hookimpl
def template_loaders(app: Quart) -> Iterable[Any]:
    from jinja2 import DictLoader

    return [DictLoader({"house/forms.html": FORMS})]
