"""Pages of the application itself: templates, errors, values of views, what a request knows of itself."""

from __future__ import annotations

from io import BytesIO

import pytest
from board.factory import remember_errors
from helpers import text
from quart.datastructures import FileStorage
from werkzeug.datastructures import Headers


async def test_the_front_page(client):
    response = await client.get("/")
    page = await text(response)
    assert response.status_code == 200
    assert response.status == "200 OK"
    assert response.mimetype == "text/html"
    assert response.content_type == "text/html; charset=utf-8"
    assert response.content_length == len(page)
    assert page == (
        "<!doctype html>\n<title>Notes of the house</title>\n"
        '<link rel="stylesheet" href="/static/style.css">\n'
        '<a href="/notes/">All notes</a> for strangers, version 1.0, today\n'
        "CBA True called constant 42\nthe tests\n"
    )


async def test_the_front_page_pushes_its_style(client):
    await client.get("/")
    assert client.push_promises == []  # HTTP/1.1 has none
    await client.get("/", http_version="2")
    [(path, headers)] = client.push_promises
    assert path == "/static/style.css"
    assert isinstance(headers, Headers)
    assert headers["user-agent"] == "Quart"


async def test_streamed_templates_know_the_request(client):
    assert await text(await client.get("/streamed")) == "begin /streamed\n0 1.0\n1 1.0\n2 1.0\nend /"
    assert await text(await client.get("/streamed-string")) == "1/streamed-string 2/streamed-string "


async def test_the_first_template_that_exists_and_an_own_rule_of_escaping(client):
    assert await text(await client.get("/one-of-many")) == "second <p>&lt;i&gt;</p>"


async def test_names_in_templates(member):
    assert await text(await member.get("/globals")) == (
        'Notes of the house|/globals|ada|ada|/|a long te…|False|2 notes|1 note|1.0|today|&lt;i&gt;|[1, "\\u003c"]|'
    )


async def test_a_plain_function_is_a_view_too(client):
    response = await client.get("/thread")
    assert (await text(response), response.headers["X-Thread"]) == ("/thread None", "yes")
    async with client.session_transaction() as session:
        assert session["thread"] is True


async def test_contexts_are_copied_into_tasks(client):
    response = await client.get("/copies", query_string={"word": "w ü"})
    assert await response.get_json() == {"word": "w ü", "name": "board", "sync": "GET"}


async def test_background_tasks_end_before_the_shutdown_does(app):
    async with app.test_app() as test_app:
        client = test_app.test_client()
        assert (await client.post("/background?mark=m")).status_code == 202
        app.add_background_task(lambda: app.written.append("in a thread"))
    assert ("from a request", "m", "board") in app.written
    assert "in a thread" in app.written
    assert not app.background_tasks


async def test_a_background_task_that_fails_is_logged(app):
    from board.signals import Recorder

    with Recorder(app, "got_background_exception") as recorder:
        async with app.test_app() as test_app:
            assert (await test_app.test_client().post("/background/fails")).status_code == 202
    [(_, values)] = recorder.heard
    assert repr(values["exception"]) == "LookupError('in the background')"
    assert app.logged == ["LookupError"]


@pytest.mark.parametrize(
    ("kind", "status", "body", "headers"),
    [
        ("text", 200, "text", {"Content-Type": "text/html; charset=utf-8", "Content-Length": "4"}),
        ("bytes", 200, "bytes", {"Content-Type": "text/html; charset=utf-8"}),
        ("dict", 200, '{"b":1,"a":[null]}\n', {"Content-Type": "application/json"}),
        ("list", 200, '[1,{"x":2}]\n', {"Content-Type": "application/json"}),
        ("status", 201, "made", {}),
        ("headers", 200, "made", {"X-A": "1"}),
        ("header-list", 202, "made", {"X-A": "2"}),
        ("response", 206, "r", {"X-R": "r", "Content-Type": "text/x-r"}),
        ("dict-status", 409, '{"error":"no"}\n', {"Content-Type": "application/json"}),
        ("empty", 204, "", {}),
        ("json", 200, "[1,2,3]\n", {}),
        ("made", 203, "coroutine", {}),
    ],
)
async def test_values_that_a_view_may_return(client, kind, status, body, headers):
    response = await client.get(f"/returns/{kind}")
    assert (response.status_code, await text(response)) == (status, body)
    assert {name: ", ".join(response.headers.getlist(name)) for name in headers} == headers


async def test_an_http_error_that_is_returned(client):
    response = await client.get("/returns/exception")
    assert response.status_code == 413


async def test_a_redirect_of_werkzeug(client):
    response = await client.get("/returns/wsgi")
    assert (response.status_code, response.location) == (307, "/elsewhere")


async def test_a_response_class_of_ones_own(client):
    response = await client.get("/returns/status?stamp=1")
    assert (response.status_code, response.headers["X-Stamp"]) == (201, "s")


@pytest.mark.parametrize("kind", ["none", "number", "quadruple"])
async def test_values_that_a_view_may_not_return(app, client, kind):
    errors = remember_errors(app)
    response = await client.get(f"/returns/{kind}")
    assert response.status_code == 500
    assert len(errors) == 1


async def test_what_a_request_knows(client):
    client.set_cookie("localhost", "colour", "blue")
    response = await client.post(
        "/mounted/inspect",
        query_string={"a": ["1", "ü"], "b": "x y"},
        form={"f": "1", "a": "3"},
        root_path="/mounted",
        headers={
            "Host": "board.example:81",
            "Accept": "application/json, text/html;q=0.5",
            "Accept-Language": "de-AT, en;q=0.5",
            "User-Agent": "tests",
            "Referer": "http://from.example/",
            "Range": "bytes=0-4",
            "If-None-Match": '"x"',
            "X-Device": "phone",
        },
    )
    seen = await response.get_json()
    assert seen == {
        "method": "POST",
        "path": "/inspect",
        "full_path": "/inspect?a=1&a=%C3%BC&b=x+y",
        "url": "http://board.example:81/mounted/inspect?a=1&a=ü&b=x+y",
        "base_url": "http://board.example:81/mounted/inspect",
        "url_root": "http://board.example:81/mounted/",
        "root_url": "http://board.example:81/mounted/",
        "host": "board.example:81",
        "host_url": "http://board.example:81/",
        "root_path": "/mounted",
        "script_root": "/mounted",
        "scheme": "http",
        "is_secure": False,
        "query_string": "a=1&a=%C3%BC&b=x+y",
        "args": {"a": ["1", "ü"], "b": ["x y"]},
        "values": {"a": ["1", "ü", "3"], "b": ["x y"], "f": ["1"]},
        "cookies": {"colour": "blue"},
        "is_json": False,
        "mimetype": "application/x-www-form-urlencoded",
        "device": "phone",
        "remote_addr": "<local>",
        "http_version": "1.1",
        "accept": "application/json",
        "languages": "de-AT",
        "user_agent": "tests",
        "referrer": "http://from.example/",
        "range": "bytes=0-4",
        "if_none_match": '"x"',
        "max_content_length": 65536,
    }


async def test_a_slash_is_added_by_a_redirect(client):
    response = await client.get("/inspect/strict?a=1")
    assert (response.status_code, response.location) == (308, "http://localhost/inspect/strict/?a=1")
    response = await client.get("/inspect/strict?a=1", follow_redirects=True)
    assert (await response.get_json())["path"] == "/inspect/strict/"


async def test_a_rule_with_defaults_redirects_to_the_short_address(client):
    assert await (await client.get("/defaults/")).get_json() == {"number": 1}
    assert await (await client.get("/defaults/2")).get_json() == {"number": 2}
    response = await client.get("/defaults/1")
    assert (response.status_code, response.location) == (308, "http://localhost/defaults/")


async def test_json_in(client):
    assert await (await client.post("/json", json={"a": [1, None]})).get_json() == {
        "json": {"a": [1, None]},
        "again": {"a": [1, None]},
    }


async def test_json_of_another_type_is_no_json(client):
    response = await client.post("/json", data="{}", headers={"Content-Type": "text/plain"})
    assert (response.status_code, await response.get_json()) == (200, {"json": None, "again": None})


async def test_json_that_is_broken_is_the_requests_affair(client):
    response = await client.post("/json", data=b"{", headers={"Content-Type": "application/json"})
    assert (await response.get_json())["json"] == {"broken": "JSONDecodeError"}


async def test_cookies_of_a_response(client):
    response = await client.get("/cookies")
    assert response.headers.getlist("Set-Cookie")[0].startswith('plain="a b\\073c"; ')
    assert "Max-Age=60" in response.headers.getlist("Set-Cookie")[0]
    assert "SameSite=Strict" in response.headers.getlist("Set-Cookie")[0]
    assert response.headers.getlist("Set-Cookie")[1] == "other=1; Secure; Path=/"
    assert "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in response.headers.getlist("Set-Cookie")[2]
    assert {cookie.name for cookie in client.cookie_jar} == {"plain", "other"}


async def test_an_error_is_handled(client, app):
    errors = remember_errors(app)
    response = await client.get("/fails")
    assert (response.status_code, await text(response)) == (500, "divided by zero")
    assert errors == []
    assert ("request", "NoneType") in app.torn_down


async def test_an_error_that_nothing_handles_is_shown_in_tests(client, app):
    errors = remember_errors(app)
    response = await client.get("/returns/number")
    assert response.status_code == 500
    assert "TypeError" in await text(response)
    assert app.logged == []
    assert [type(error) for error in errors] == [TypeError]
    assert ("request", "TypeError") in app.torn_down


async def test_an_error_that_nothing_handles_is_a_500(app):
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = await app.test_client().get("/returns/number")
    assert (response.status_code, await response.get_json()) == (500, {"code": 500, "name": "Internal Server Error"})
    assert app.logged == ["TypeError"]


async def test_errors_of_http(client):
    assert await (await client.get("/aborts/403")).get_json() == {"code": 403, "name": "Forbidden"}
    assert await (await client.get("/nowhere")).get_json() == {"code": 404, "name": "Not Found"}
    response = await client.get("/aborts/451")
    assert (response.status_code, await text(response)) == (451, "for legal reasons")
    response = await client.get("/aborts/777")
    assert (response.status_code, await text(response)) == (402, "with a response")
    response = await client.post("/methods")
    assert (response.status_code, await response.get_json()) == (405, {"code": 405, "name": "Method Not Allowed"})


async def test_methods(client):
    assert await text(await client.put("/methods")) == "PUT"
    assert await text(await client.delete("/methods")) == "DELETE"
    head = await client.head("/methods")
    assert (head.status_code, head.content_length) == (200, 4)
    options = await client.options("/methods")
    assert set(options.allow) == {"GET", "PUT", "DELETE", "HEAD", "OPTIONS"}
    assert options.headers["X-Options"] == "the board's"
    assert await text(await client.open("/late", method="PURGE")) == "PURGE"
    assert (await client.options("/late")).status_code == 405


async def test_a_before_function_answers_instead_of_the_view_and_of_a_404(client):
    assert await (await client.get("/?stop=1")).get_json() == {"stopped": "index"}
    assert await (await client.get("/nowhere?stop=1")).get_json() == {"stopped": None}


async def test_static_files(client):
    response = await client.get("/static/style.css")
    assert response.content_type == "text/css; charset=utf-8"
    assert response.cache_control.max_age == 60
    assert await text(response) == "body { color: navy }\n"
    etag, _ = response.get_etag()
    assert etag
    again = await client.get("/static/style.css", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, await again.get_data()) == (304, b"")
    since = await client.get("/static/style.css", headers={"If-Modified-Since": response.headers["Last-Modified"]})
    assert since.status_code == 304
    assert (await client.get("/static/robots.txt")).cache_control.max_age == 7
    assert (await client.get("/static/../factory.py")).status_code == 404
    assert (await client.get("/static/nothing.css")).status_code == 404
    assert await text(await client.get("/favicon.ico")) == "body { color: navy }\n"


async def test_an_override_of_the_app_is_called(client):
    assert (await client.get("/overridden")).headers["X-Processed"] == "by the override"
    assert "X-Processed" not in (await client.get("/methods")).headers


async def test_uploads_of_several_kinds_in_one_form(client):
    response = await client.post(
        "/inspect",
        form={"a": "1"},
        files={"f": FileStorage(BytesIO(b"x"), filename="f.txt")},
    )
    seen = await response.get_json()
    assert seen["mimetype"] == "multipart/form-data"
    assert seen["values"] == {"a": ["1"]}
