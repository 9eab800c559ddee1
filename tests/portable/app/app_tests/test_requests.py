"""Requests: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

from io import BytesIO

import pytest
from helpers import text
from quart import (
    Quart,
    Request,
    request,
)
from quart.datastructures import FileStorage
from quart.formparser import FormDataParser
from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_classes_of_a_request(app, client):
    class Own(Request):
        parameter_storage_class = MultiDict
        dict_storage_class = MultiDict

    app.request_class = Own

    @app.post("/")
    async def index():
        form = await request.form
        form["more"] = "1"
        return f"{type(request.args).__name__} {type(form).__name__} {sorted(form)}"

    assert await text(await client.post("/?a=1", form={"b": "2"})) == "MultiDict MultiDict ['b', 'more']"


async def test_a_parser_of_ones_own(app, client):
    class Parser(FormDataParser):
        async def parse(self, body, mimetype, content_length, options=None):
            form, files = await super().parse(body, mimetype, content_length, options)
            return MultiDict({**form, "parsed": "here"}), files

    class Own(Request):
        form_data_parser_class = Parser

    app.request_class = Own

    @app.post("/")
    async def index():
        return dict(await request.form)

    assert await (await client.post("/", form={"a": "1"})).get_json() == {"a": "1", "parsed": "here"}


async def test_the_body_in_several_ways(app, client):
    @app.post("/")
    async def index():
        first = await request.body
        return {
            "body": first.decode(),
            "data": (await request.get_data()).decode(),
            "text": await request.get_data(as_text=True),
            "json": await request.get_json(force=True),
        }

    seen = await (await client.post("/", data=b"[1]")).get_json()
    assert seen == {"body": "[1]", "data": "[1]", "text": "[1]", "json": [1]}


async def test_json_of_a_request(app, client):
    @app.post("/")
    async def index():
        return {"json": await request.get_json(silent=True), "is": request.is_json}

    async def sent(data, mimetype):
        return await (await client.post("/", data=data, headers={"Content-Type": mimetype})).get_json()

    assert await sent(b'{"a": 1}', "application/json") == {"json": {"a": 1}, "is": True}
    assert await sent(b'{"a": 1}', "application/vnd.api+json; charset=utf-8") == {"json": {"a": 1}, "is": True}
    assert await sent(b"{", "application/json") == {"json": None, "is": True}
    assert await sent(b"{}", "text/plain") == {"json": None, "is": False}
    app.add_url_rule("/loud", "loud", lambda: None)


async def test_broken_json_is_a_bad_request(app, client):
    @app.post("/")
    async def index():
        return {"json": await request.get_json()}

    response = await client.post("/", data=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400


async def test_uploads_are_files(app, client):
    @app.post("/")
    async def index():
        file = (await request.files)["f"]
        assert isinstance(file, FileStorage)
        first = file.read(2)
        file.stream.seek(0)
        return {"first": first.decode(), "all": file.read().decode(), "name": file.name, "type": file.mimetype}

    upload = FileStorage(BytesIO(b"abc"), filename="a.txt", content_type="text/plain")
    seen = await (await client.post("/", files={"f": upload})).get_json()
    assert seen == {"first": "ab", "all": "abc", "name": "f", "type": "text/plain"}


async def test_typed_arguments(app, client):
    @app.get("/")
    async def index():
        args = request.args
        assert isinstance(args, ImmutableMultiDict)
        return [
            args.get("n", 1, type=int),
            args.get("bad", 7, type=int),
            args.getlist("l", type=int),
            args.get("none"),
        ]

    assert await (await client.get("/?n=3&bad=x&l=1&l=2&l=z")).get_json() == [3, 7, [1, 2], None]


async def test_headers_of_a_request(app, client):
    @app.get("/")
    async def index():
        return {
            "many": request.headers.getlist("X-Many"),
            "lower": request.headers["x-many"],
            "in": "X-MANY" in request.headers,
            "date": str(request.if_modified_since),
            "encodings": "gzip" in request.accept_encodings,
            "cors": str(request.access_control_request_method),
            "origin": request.origin,
            "cache": request.cache_control.no_cache is not None,
            "bearer": request.authorization.token,
        }

    headers = Headers(
        [
            ("X-Many", "a"), ("X-Many", "b"), ("If-Modified-Since", "Thu, 29 Feb 2024 12:30:15 GMT"),
            ("Accept-Encoding", "gzip, br"), ("Access-Control-Request-Method", "PUT"), ("Origin", "http://o.example"),
            ("Cache-Control", "no-cache"), ("Authorization", "Bearer abc"),
        ]
    )  # fmt: skip
    assert await (await client.get("/", headers=headers)).get_json() == {
        "many": ["a", "b"], "lower": "a", "in": True, "date": "2024-02-29 12:30:15+00:00", "encodings": True,
        "cors": "PUT", "origin": "http://o.example", "cache": True, "bearer": "abc",
    }  # fmt: skip
