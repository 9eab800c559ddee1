"""The request: lines of moving_from_flask.md."""

from __future__ import annotations

from io import BytesIO

from .shared import ask_flask, ask_here, folder, row

same = row("`request.args`, `.headers`, `.cookies`, `.method`, `.path`, `.url`, …")


@same.there
def _():
    from flask import request

    def view():
        assert (request.args["a"], request.headers["X-A"], dict(request.cookies)) == ("b", "1", {})
        return f"{request.method} {request.path} {request.url}"

    return ask_flask(view, query_string={"a": "b"}, headers={"X-A": "1"})


@same.here
async def _():
    from quart_plug import request

    async def view():
        assert (request.args["a"], request.headers["X-A"], dict(request.cookies)) == ("b", "1", {})
        return f"{request.method} {request.path} {request.url}"

    return await ask_here(view, query_string={"a": "b"}, headers={"X-A": "1"})


form = row('`request.form["name"]`')


@form.there
def _():
    from flask import request

    def view():
        return request.form["name"]

    return ask_flask(view, "POST", data={"name": "Ada"})


@form.here
async def _():
    from quart_plug import request

    async def view():
        return (await request.form)["name"]

    return await ask_here(view, "POST", form={"name": "Ada"})


files = row('`request.files["picture"]`')


@files.there
def _():
    from flask import request

    def view():
        return request.files["picture"].filename

    return ask_flask(view, "POST", data={"picture": (BytesIO(b"x"), "cat.png")})


@files.here
async def _():
    from werkzeug.datastructures import FileStorage

    from quart_plug import request

    async def view():
        return (await request.files)["picture"].filename

    return await ask_here(view, "POST", files={"picture": FileStorage(BytesIO(b"x"), "cat.png")})


saving = row("`file.save(path)`")


@saving.there
def _():
    from flask import request

    path = folder() / "saved"

    def view():
        file = request.files["picture"]
        file.save(path)
        return path.read_text()

    return ask_flask(view, "POST", data={"picture": (BytesIO(b"x"), "cat.png")})


@saving.here
async def _():
    from werkzeug.datastructures import FileStorage

    from quart_plug import request

    path = folder() / "saved"

    async def view():
        file = (await request.files)["picture"]
        await file.save(path)
        return path.read_text()

    return await ask_here(view, "POST", files={"picture": FileStorage(BytesIO(b"x"), "cat.png")})


json_body = row("`request.get_json()`, `request.json`")


@json_body.there
def _():
    from flask import request

    def view():
        return [request.get_json(), request.json]

    return ask_flask(view, "POST", json={"a": 1})


@json_body.here
async def _():
    from quart_plug import request

    async def view():
        return [await request.get_json(), await request.json]

    return await ask_here(view, "POST", json={"a": 1})


data = row("`request.data`, `request.get_data()`")


@data.there
def _():
    from flask import request

    def view():
        return request.data + request.get_data()

    return ask_flask(view, "POST", data=b"x")


@data.here
async def _():
    from quart_plug import request

    async def view():
        return await request.data + await request.get_data()

    return await ask_here(view, "POST", data=b"x")


combined = row("`request.values`")


@combined.there
def _():
    from flask import request

    def view():
        return sorted(request.values.items())

    return ask_flask(view, "POST", data={"b": "2"}, query_string={"a": "1"})


@combined.here
async def _():
    from quart_plug import request

    async def view():
        return sorted((await request.values).items())

    return await ask_here(view, "POST", form={"b": "2"}, query_string={"a": "1"})


stream = row("`request.stream.read(1024)`")


@stream.there
def _():
    from flask import request

    def view():
        total = 0
        while part := request.stream.read(1024):
            total += len(part)
        return str(total)

    return ask_flask(view, "POST", data=b"x" * 3000)


@stream.here
async def _():
    from quart_plug import request

    async def view():
        total = 0
        async for part in request.body:
            total += len(part)
        return str(total)

    return await ask_here(view, "POST", data=b"x" * 3000)


no_json = row("`request.get_json()`, where the body is not announced as JSON: 415")


@no_json.there
def _():
    from flask import request

    def view():
        return request.get_json()

    return ask_flask(view, "POST", data=b"{}")[:3]


@no_json.here
async def _():
    from quart_plug import abort, request

    async def view():
        value = await request.get_json()
        if value is None:
            abort(415)

    return (await ask_here(view, "POST", data=b"{}"))[:3]


environ = row("`request.environ`")


@environ.there
def _():
    from flask import request

    return ask_flask(lambda: request.environ["PATH_INFO"])


@environ.here
async def _():
    from quart_plug import request

    return await ask_here(lambda: request.scope["path"])
