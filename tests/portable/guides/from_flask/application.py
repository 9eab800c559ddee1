"""The application: lines of moving_from_flask.md."""

from __future__ import annotations

from .shared import flask_app, here_app, row

imports = row("`from flask import Flask, request`")


@imports.there
def _():
    from flask import Flask, request

    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: request.path, endpoint="view")
    return app.test_client().get("/").get_data(as_text=True)


@imports.here
async def _():
    from quart_plug import Quart, request

    app = Quart("shop")
    app.add_url_rule("/", view_func=lambda: request.path, endpoint="view")
    return await (await app.test_client().get("/")).get_data(as_text=True)


submodules = row("`from flask.views import MethodView`")


@submodules.there
def _():
    from flask.views import MethodView

    return MethodView.__name__


@submodules.here
def _():
    from quart_plug.views import MethodView

    return MethodView.__name__


arguments = row("`Flask(__name__, …)`")


@arguments.there
def _():
    from flask import Flask

    app = Flask(
        __name__, static_folder="files", template_folder="pages", instance_path="/instance", static_url_path="/f"
    )
    return (app.name == __name__, app.static_url_path, app.template_folder, app.instance_path)


@arguments.here
def _():
    from quart_plug import Quart

    app = Quart(
        __name__, static_folder="files", template_folder="pages", instance_path="/instance", static_url_path="/f"
    )
    return (app.name == __name__, app.static_url_path, app.template_folder, app.instance_path)


blueprints = row('`Blueprint("shop", __name__, …)`')


@blueprints.there
def _():
    from flask import Blueprint, url_for

    part = Blueprint("shop", __name__, url_prefix="/shop")
    part.add_url_rule("/shelf", view_func=lambda: url_for(".shelf"), endpoint="shelf")
    app = flask_app()
    app.register_blueprint(part)
    return app.test_client().get("/shop/shelf").text


@blueprints.here
async def _():
    from quart_plug import Blueprint, url_for

    part = Blueprint("shop", __name__, url_prefix="/shop")
    part.add_url_rule("/shelf", view_func=lambda: url_for(".shelf"), endpoint="shelf")
    app = here_app()
    app.register_blueprint(part)
    return await (await app.test_client().get("/shop/shelf")).get_data(as_text=True)
