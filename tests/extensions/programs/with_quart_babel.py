"""quart-babel: the locale and time zone of a request, translations from a catalogue, formats, template filters."""

from datetime import datetime
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from quart import Quart, render_template_string, request
from quart_babel import (
    Babel,
    force_locale,
    format_currency,
    format_datetime,
    format_decimal,
    get_locale,
    get_timezone,
    gettext,
    lazy_gettext,
    ngettext,
    refresh,
)

LATER = lazy_gettext("Hello")


@pytest.fixture
def app(tmp_path):
    catalog = Catalog("de")
    catalog.add("Hello", "Hallo")
    catalog.add(("%(num)s apple", "%(num)s apples"), ("%(num)s Apfel", "%(num)s Äpfel"))
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "messages.mo", "wb") as file:
        write_mo(file, catalog)
    app = Quart("babel_program")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(tmp_path)

    def locale():
        return request.accept_languages.best_match(["en", "de"])

    def timezone():
        return request.args.get("zone", "UTC")

    Babel(app, locale_selector=locale, timezone_selector=timezone)

    @app.get("/")
    async def index():
        return {
            "locale": str(get_locale()),
            "zone": str(get_timezone()),
            "hello": gettext("Hello"),
            "later": str(LATER),
            "apples": [ngettext("%(num)s apple", "%(num)s apples", number) for number in (1, 2)],
            "number": format_decimal(Decimal("1234.5")),
            "euro": format_currency(2, "EUR"),
            "time": format_datetime(datetime(2026, 1, 2, 12, 0), "HH:mm"),
        }

    @app.get("/template")
    async def template():
        return await render_template_string(
            "{{ _('Hello') }} {% trans %}Hello{% endtrans %} {{ when|datetimeformat('y') }}", when=datetime(2026, 1, 2)
        )

    @app.get("/forced")
    async def forced():
        with force_locale("de"):
            first = gettext("Hello")
        refresh()
        return [first, gettext("Hello")]

    return app


async def test_english_and_german(app):
    client = app.test_client()
    english = await (await client.get("/", headers={"Accept-Language": "en"})).get_json()
    assert (english["locale"], english["hello"], english["later"]) == ("en", "Hello", "Hello")
    assert (english["apples"], english["number"]) == (["1 apple", "2 apples"], "1,234.5")
    german = await (await client.get("/?zone=Europe/Berlin", headers={"Accept-Language": "de"})).get_json()
    assert (german["locale"], german["hello"], german["later"]) == ("de", "Hallo", "Hallo")
    assert (german["apples"], german["number"], german["euro"]) == (["1 Apfel", "2 Äpfel"], "1.234,5", "2,00\xa0€")
    assert (german["zone"], german["time"]) == ("Europe/Berlin", "13:00")


async def test_templates_and_a_forced_locale(app):
    client = app.test_client()
    response = await client.get("/template", headers={"Accept-Language": "de"})
    assert await response.get_data(as_text=True) == "Hallo Hallo 2026"
    response = await client.get("/forced", headers={"Accept-Language": "en"})
    assert await response.get_json() == ["Hallo", "Hello"]
