"""quart-i18n: texts of a page from JSON, in the language that the cookie says."""

import json

from quart import Quart
from quart_i18n import I18n


async def test_a_page_in_two_languages(tmp_path):
    (tmp_path / "locales").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "locales" / "index.json").write_text(
        json.dumps({"en": {"title": "Welcome, {username}!"}, "hu": {"title": "Üdv, {username}!"}})
    )
    (tmp_path / "templates" / "index.html").write_text("{{ lang }} {{ t.title }}")
    app = Quart("i18n_program", root_path=str(tmp_path))
    i18n = I18n(app, ["en", "hu"], str(tmp_path / "locales"), "en")

    @app.get("/")
    async def index():
        return await i18n.render_template("index.html", username="Bali")

    client = app.test_client()
    assert await (await client.get("/")).get_data(as_text=True) == "en Welcome, Bali!"
    client.set_cookie("localhost", "language", "hu")
    assert await (await client.get("/")).get_data(as_text=True) == "hu Üdv, Bali!"
