"""Smaller applications: one that looks at hosts, one with subdomains."""

from __future__ import annotations

from quart import Blueprint, Quart, request, url_for


def create_hosts() -> Quart:
    app = Quart("board", host_matching=True, static_host="static.example", static_folder="static")
    app.config["SERVER_NAME"] = None

    @app.route("/", host="<name>.example")
    async def home(name):
        return {"name": name, "other": url_for("home", name="b", _external=True)}

    @app.route("/", host="api.test")
    async def api():
        return {"api": request.host}

    @app.websocket("/ws", host="<name>.example")
    async def ws(name):
        from quart import websocket

        await websocket.send(name)

    return app


def create_subdomains() -> Quart:
    app = Quart("board", subdomain_matching=True)
    app.config.update(SERVER_NAME="example.test:8000", PREFERRED_URL_SCHEME="https", SECRET_KEY="s")
    shop = Blueprint("shop", __name__, subdomain="shop", url_prefix="/s")

    @app.route("/")
    async def index():
        return {"index": request.host, "shop": url_for("shop.shelf", _external=True)}

    @app.route("/", subdomain="<user>")
    async def user(user):
        return {"user": user, "home": url_for("index")}

    @shop.route("/shelf")
    async def shelf():
        return {"shelf": url_for(".shelf"), "index": url_for("index")}

    app.register_blueprint(shop)
    return app
