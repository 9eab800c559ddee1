"""The inspector's routes: the page, its files, its data, its websocket. Each asks the guard first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, TypeVar

from quart_plug import Blueprint, Response, request, websocket
from quart_plug.exceptions import ConnectionClosed

from .feed import Feed, Inspection, encode
from .guard import Refusal, security_headers
from .recorder import BLUEPRINT

if TYPE_CHECKING:
    from quart_plug import Quart

    from .guard import Guard

__all__ = ["make_blueprint"]

F = TypeVar("F", bound=Callable[..., Any])

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
LONGEST_TOKEN = 500
GOING_AWAY = 1001


@cache
def _file(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _names() -> frozenset[str]:
    names = (file.name for file in (files(__package__) / "static").iterdir())
    return frozenset(name for name in names if name.rpartition(".")[2] in TYPES)


def _answer(body: str | bytes, status: int = 200, content_type: str = "text/html", **headers: str) -> Response:
    response = Response(body, status, content_type=f"{content_type}; charset=utf-8")
    response.headers.update(security_headers(request.scope))
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def _refused(refusal: Refusal) -> Response:
    headers = {} if refusal.retry_after is None else {"Retry_After": str(refusal.retry_after)}
    return _answer(refusal.reason + "\n", refusal.status, "text/plain", **headers)


def _page(file: str, status: int = 200, **values: str) -> Response:
    text = Template(_file(file).decode()).substitute({key: escape(value) for key, value in values.items()})
    return _answer(text, status)


def make_blueprint(app: Quart, inspection: Inspection, guard: Guard, path: str) -> Blueprint:
    """The routes, under `path`."""
    blueprint = Blueprint(BLUEPRINT, __name__, url_prefix=path)

    def route(rule: str, method: str) -> Callable[[F], F]:
        return blueprint.route(rule, methods=[method], provide_automatic_options=False)

    def home() -> str:
        return f"{request.root_path}{path}/"

    @route("", "GET")
    async def without_slash() -> Response:
        refusal = guard.refuses(request.scope, navigation=True)
        if refusal is not None:
            return _refused(refusal)
        query = request.query_string.decode("latin-1")
        return _answer("", 308, Location=home() + (f"?{query}" if query else ""))

    @route("/", "GET")
    async def page() -> Response:
        refusal = guard.refuses(request.scope, navigation=True)
        if refusal is not None:
            return _refused(refusal)
        if "token" in request.args:
            return sign_in(request.args["token"])
        refusal = guard.knows(request.scope)
        if refusal is not None:
            return sign_in_page(refusal.status, "")
        return _page("page.html", name=app.name, root=home())

    @route("/login", "POST")
    async def login() -> Response:
        refusal = guard.refuses(request.scope)
        if refusal is not None:
            return _refused(refusal)
        request.max_content_length = 4 * LONGEST_TOKEN
        return sign_in((await request.form).get("token", "").strip())

    def sign_in(token: str) -> Response:
        refusal = guard.try_token(token[:LONGEST_TOKEN])
        if refusal is not None:
            return sign_in_page(refusal.status, refusal.reason, refusal.retry_after)
        if "cross-site" in request.headers.getlist("Sec-Fetch-Site"):
            # A redirect would still count as the other site's, and be sent without the cookie that was just given.
            response = _page("signed_in.html", name=app.name, root=home())
        else:
            response = _answer("", 303, Location=home())
        response.set_cookie(
            guard.cookie,
            guard.cookie_value,
            path=home(),
            httponly=True,
            samesite="Strict",
            secure=request.scheme == "https",
        )
        return response

    def sign_in_page(status: int, problem: str, retry_after: int | None = None) -> Response:
        response = _page("login.html", status, name=app.name, root=home(), problem=problem)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    @route("/data.json", "GET")
    async def data() -> Response:
        refusal = guard.refuses(request.scope) or guard.knows(request.scope)
        if refusal is not None:
            return _refused(refusal)
        return _answer(encode(inspection.snapshot()), content_type="application/json")

    @route("/static/<name>", "GET")
    async def static(name: str) -> Response:
        refusal = guard.refuses(request.scope)
        if refusal is not None or name not in _names():
            return _refused(refusal or Refusal(404, "Not Found"))
        response = _answer(_file(name), content_type=TYPES[name.rpartition(".")[2]])
        response.headers["Cache-Control"] = "private, max-age=300"  # there is no secret in it
        return response

    @blueprint.websocket("/live", disconnect="cancel")
    async def live() -> Any:
        refusal = guard.refuses(websocket.scope) or guard.knows(websocket.scope)
        if refusal is not None:
            await websocket.reject(refusal.status, refusal.reason)
            return
        await websocket.accept()
        feed = Feed(inspection)
        try:
            while app.debug:
                await websocket.send(await feed.next())
            await websocket.close(GOING_AWAY, "Not in debug mode any more")
        except ConnectionClosed:
            pass

    return blueprint
