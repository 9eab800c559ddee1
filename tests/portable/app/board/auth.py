"""Logging in: a session, flashed messages, a decorator, and a user in `g`."""

from __future__ import annotations

from functools import wraps
from typing import Any

from quart import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    get_flashed_messages,
    jsonify,
    redirect,
    render_template_string,
    request,
    session,
    url_for,
)

auth = Blueprint("auth", __name__, url_prefix="/auth")


@auth.before_app_request
async def load_user() -> None:
    g.user = session.get("user")


@auth.before_app_websocket
async def load_user_of_websocket() -> None:
    g.user = session.get("user")


@auth.app_context_processor
async def user_for_templates() -> dict[str, Any]:
    return {"user": g.get("user", "nobody")}


def login_required(view):
    """Works for views of either colour, since `ensure_async` makes them one."""

    @wraps(view)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if g.user is None:
            await flash("Please log in.", "warning")
            return redirect(url_for("auth.login", next=request.full_path))
        return await current_app.ensure_async(view)(*args, **kwargs)

    return wrapper


@auth.route("/login", methods=["GET", "POST"])
async def login():
    if request.method == "GET":
        return await render_template_string(
            "{% for kind, text in get_flashed_messages(with_categories=true) %}[{{ kind }}] {{ text }}\n{% endfor %}"
            "Log in, {{ user or 'stranger' }}: {{ request.args.get('next', '') }}"
        )
    form = await request.form
    if current_app.store.users.get(form["name"]) != form["password"]:
        await flash("Wrong name or password.", "error")
        return await render_template_string("{{ get_flashed_messages() | join }}"), 403
    session.clear()
    session["user"] = form["name"]
    session.permanent = "remember" in form
    await flash(f"Hello, {form['name']}!")
    return redirect(request.args.get("next") or url_for("index"), 303)


@auth.post("/logout")
def logout():
    session.pop("user", None)
    return jsonify(gone=True)


@auth.route("/me")
@login_required
async def me():
    return {"user": g.user, "permanent": session.permanent, "new": session.new}


@auth.route("/basic")
async def basic():
    authorization = request.authorization
    if authorization is None or authorization.type != "basic":
        abort(401)
    return {"username": authorization.username, "password": authorization.password}


@auth.errorhandler(401)
async def unauthorized(error):
    return {"error": error.description}, 401, {"WWW-Authenticate": 'Basic realm="board"'}


@auth.route("/messages")
async def messages():
    return {
        "errors": get_flashed_messages(category_filter=["error"]),
        "again": get_flashed_messages(with_categories=True, category_filter=("error", "info")),
    }


@auth.route("/flash")
async def flash_some():
    await flash("one", "error")
    await flash("two", "info")
    return redirect(url_for(".messages"))
