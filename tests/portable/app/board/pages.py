"""Pages of the application itself: templates of every sort, pushes, copied contexts, errors."""

from __future__ import annotations

import asyncio

from quart import (
    Response,
    ResponseReturnValue,
    abort,
    after_this_request,
    copy_current_app_context,
    copy_current_request_context,
    current_app,
    g,
    jsonify,
    make_push_promise,
    make_response,
    redirect,
    render_template,
    render_template_string,
    request,
    send_from_directory,
    session,
    stream_template,
    stream_template_string,
    url_for,
)
from quart.ctx import after_this_request as same_function
from quart.utils import run_sync
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

assert after_this_request is same_function


async def index() -> ResponseReturnValue:
    await make_push_promise(url_for("static", filename="style.css"))
    return await render_template("index.html", title=current_app.config["BOARD_TITLE"])


async def streamed():
    return await stream_template("streamed.html", numbers=range(3))


async def streamed_string():
    source = "{% for n in numbers %}{{ n }}{{ request.path }} {% endfor %}"
    return Response(await stream_template_string(source, numbers=[1, 2]))


async def one_of_many():
    return await render_template(["missing.html", "pages/second.page"], danger="<i>")


async def globals_in_templates():
    return await render_template_string(
        "{{ config.BOARD_TITLE }}|{{ request.path }}|{{ session.get('user') }}|{{ g.user }}|{{ url_for('index') }}|"
        "{{ 'a long text indeed' | shorten }}|{{ 'short' is long }}|{{ plural(2, 'note') }}|{{ plural(1, 'note') }}|"
        "{{ version }}|{{ today() }}|{{ '<i>' }}|{{ [1, '<'] | tojson }}|{{ note }}"
    )


def in_a_thread():
    """A plain view; `request`, `g` and `session` are there."""
    session["thread"] = True
    return f"{request.path} {g.user}", {"X-Thread": "yes"}


async def with_copies():
    """Functions that go on in tasks, with the contexts of this request."""

    @copy_current_request_context
    async def with_request():
        return request.args["word"]

    @copy_current_app_context
    async def with_app():
        return current_app.name

    word, name = await asyncio.gather(asyncio.create_task(with_request()), asyncio.create_task(with_app()))
    return {"word": word, "name": name, "sync": await run_sync(lambda: request.method)()}


async def in_background():
    current_app.add_background_task(write_down, "from a request", mark=request.args.get("mark"))
    return "", 202


async def write_down(text, mark=None):
    current_app.written.append((text, mark, current_app.name))


def write_down_in_a_thread(text):
    current_app.written.append((text, None, current_app.name))


async def background_that_fails():
    async def fails():
        raise LookupError("in the background")

    current_app.add_background_task(fails)
    return "", 202


async def returns(kind):
    """Every kind of value that a view may return."""
    values = {
        "text": lambda: "text",
        "bytes": lambda: b"bytes",
        "dict": lambda: {"b": 1, "a": [None]},
        "list": lambda: [1, {"x": 2}],
        "status": lambda: ("made", 201),
        "headers": lambda: ("made", {"X-A": "1"}),
        "header-list": lambda: ("made", 202, [("X-A", "1"), ("X-A", "2")]),
        "response": lambda: (Response("r", content_type="text/x-r"), 206, {"X-R": "r"}),
        "exception": lambda: RequestEntityTooLarge(),
        "none": lambda: None,
        "number": lambda: 7,
        "quadruple": lambda: (1, 2, 3, 4),
        "dict-status": lambda: ({"error": "no"}, 409),
        "empty": lambda: ("", 204),
        "wsgi": lambda: redirect("/elsewhere", 307),
        "json": lambda: jsonify(1, 2, 3),
        "made": lambda: current_app.make_response(("coroutine", 203)),
    }
    value = values[kind]()
    if kind == "made":
        value = await value
    if kind == "status" and request.args.get("stamp"):
        response = await make_response(*value)
        response.stamp("s")
        return response
    return value


async def inspect_request():
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.full_path,
        "url": request.url,
        "base_url": request.base_url,
        "url_root": request.url_root,
        "root_url": request.root_url,
        "host": request.host,
        "host_url": request.host_url,
        "root_path": request.root_path,
        "script_root": request.script_root,
        "scheme": request.scheme,
        "is_secure": request.is_secure,
        "query_string": request.query_string.decode(),
        "args": request.args.to_dict(flat=False),
        "values": (await request.values).to_dict(flat=False),
        "cookies": dict(request.cookies),
        "is_json": request.is_json,
        "mimetype": request.mimetype,
        "device": request.device,
        "remote_addr": request.remote_addr,
        "http_version": request.http_version,
        "accept": request.accept_mimetypes.best_match(["text/html", "application/json"]),
        "languages": request.accept_languages.best,
        "user_agent": request.user_agent.string,
        "referrer": request.referrer,
        "range": str(request.range),
        "if_none_match": request.if_none_match.to_header(),
        "max_content_length": request.max_content_length,
    }


async def json_in():
    return {"json": await request.get_json(), "again": await request.json}


async def cookies():
    response = await make_response("cookies")
    response.set_cookie("plain", "a b;c", max_age=60, httponly=True, samesite="Strict", path="/cookies")
    response.set_cookie("other", "1", domain=None, secure=True)
    response.delete_cookie("old")
    return response


async def fails():
    raise ZeroDivisionError("of a view")


async def aborts(status):
    if status == 777:
        abort(Response("with a response", 402))
    abort(status)


async def methods():
    return request.method


async def favicon():
    return await send_from_directory(current_app.static_folder, "style.css")


async def every_http_error(error: HTTPException):
    if error.code in {301, 308}:
        return error
    return {"code": error.code, "name": error.name}, error.code
