"""quart-imp: an application whose blueprints and resources are found in its folders."""

import asyncio
import sys
from pathlib import Path

FILES = {
    "imp_app/__init__.py": """
from quart import Quart
from quart_imp import Imp
from quart_imp.config import ImpConfig, QuartConfig

imp = Imp()


def create_app():
    app = Quart(__name__, static_url_path="/")
    QuartConfig(secret_key="a secret", app_instance=app)
    imp.init_app(app, ImpConfig(init_session={"count": 1}))
    imp.import_app_resources()
    imp.import_blueprints("blueprints")
    return app
""",
    "imp_app/resources/routes.py": """
from quart import current_app as app, render_template, session


@app.route("/resource")
async def resource():
    return await render_template("page.html", count=session["count"])


@app.errorhandler(404)
async def not_found(error):
    return "not here", 404
""",
    "imp_app/resources/static/a.css": "p {}",
    "imp_app/resources/templates/page.html": "count {{ count }}",
    "imp_app/blueprints/www/__init__.py": """
from quart_imp import ImpBlueprint
from quart_imp.config import ImpBlueprintConfig

bp = ImpBlueprint(__name__, ImpBlueprintConfig(enabled=True, url_prefix="/www", init_session={"www": True}))
bp.import_resources("routes")
""",
    "imp_app/blueprints/www/routes/index.py": """
from quart import session, url_for

from .. import bp


@bp.route("/")
async def index():
    return {"url": url_for("www.index"), "www": session["www"]}
""",
}


def test_folders_become_an_application(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = Path(tmp_path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    monkeypatch.syspath_prepend(str(tmp_path))
    import imp_app

    asyncio.run(use(imp_app.create_app()))  # quart-imp imports in a loop of its own, so not in a running one
    assert "imp_app" in sys.modules


async def use(app):
    client = app.test_client()
    assert await (await client.get("/resource")).get_data(as_text=True) == "count 1"
    assert await (await client.get("/www/")).get_json() == {"url": "/www/", "www": True}
    assert await (await client.get("/a.css")).get_data() == b"p {}"
    response = await client.get("/nowhere")
    assert (response.status_code, await response.get_data(as_text=True)) == (404, "not here")
