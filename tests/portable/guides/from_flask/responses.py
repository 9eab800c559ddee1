"""Responses: lines of moving_from_flask.md."""

from __future__ import annotations

from .shared import ask_flask, ask_here, folder, row

made = row("`make_response(…)`")


@made.there
def _():
    from flask import make_response

    def view():
        return make_response("made", 201)

    return ask_flask(view)


@made.here
async def _():
    from quart_plug import make_response

    async def view():
        return await make_response("made", 201)

    return await ask_here(view)


rendered = row("`render_template(…)`, `render_template_string(…)`")


@rendered.there
def _():
    from flask import render_template, render_template_string

    def view():
        return render_template("page.html", name="Ada") + render_template_string("{{ 1 + 1 }}")

    return ask_flask(view)


@rendered.here
async def _():
    from quart_plug import render_template, render_template_string

    async def view():
        return await render_template("page.html", name="Ada") + await render_template_string("{{ 1 + 1 }}")

    return await ask_here(view)


streamed = row("`stream_template(…)`, `stream_template_string(…)`")


@streamed.there
def _():
    from flask import stream_template, stream_template_string

    def view():
        return "".join(stream_template("page.html", name="Ada")) + "".join(stream_template_string("{{ 1 + 1 }}"))

    return ask_flask(view)


@streamed.here
async def _():
    from quart_plug import stream_template, stream_template_string

    async def view():
        parts = [part async for part in await stream_template("page.html", name="Ada")]
        return "".join(parts + [part async for part in await stream_template_string("{{ 1 + 1 }}")])

    return await ask_here(view)


macros = row("`get_template_attribute(…)`")


@macros.there
def _():
    from flask import get_template_attribute

    return ask_flask(lambda: get_template_attribute("page.html", "card")("x"))


@macros.here
async def _():
    from quart_plug import get_template_attribute

    return await ask_here(lambda: get_template_attribute("page.html", "card")("x"))


flashing = row('`flash("saved")`')


@flashing.there
def _():
    from flask import flash, get_flashed_messages

    def view():
        flash("saved")
        return get_flashed_messages()

    return ask_flask(view)


@flashing.here
async def _():
    from quart_plug import flash, get_flashed_messages

    async def view():
        await flash("saved")
        return get_flashed_messages()

    return await ask_here(view)


unchanged = row("`jsonify(…)`, `redirect(…)`, `url_for(…)`, `abort(…)`, `get_flashed_messages()`")


@unchanged.there
def _():
    from flask import abort, get_flashed_messages, jsonify, redirect, url_for

    def view():
        assert (redirect("/x").location, url_for("view"), get_flashed_messages()) == ("/x", "/", [])
        try:
            abort(404)
        except Exception as error:
            return jsonify(error.code)

    return ask_flask(view)


@unchanged.here
async def _():
    from quart_plug import abort, get_flashed_messages, jsonify, redirect, url_for

    async def view():
        assert (redirect("/x").location, url_for("view"), get_flashed_messages()) == ("/x", "/", [])
        try:
            abort(404)
        except Exception as error:
            return jsonify(error.code)

    return await ask_here(view)


sent = row('`send_file(path, download_name="a.txt", max_age=60, etag=True)`')


@sent.there
def _():
    from flask import send_file

    path = folder() / "report.txt"

    def view():
        response = send_file(path, download_name="a.txt", max_age=60, etag=True)
        assert response.cache_control.max_age == 60
        assert "ETag" in response.headers
        return str(response.status_code)

    return ask_flask(view)


@sent.here
async def _():
    from quart_plug import send_file

    path = folder() / "report.txt"

    async def view():
        response = await send_file(path, attachment_filename="a.txt", cache_timeout=60, add_etags=True)
        assert response.cache_control.max_age == 60
        assert "ETag" in response.headers
        return str(response.status_code)

    return await ask_here(view)


ranges = row("`send_file(path)`, answering ranges and `If-None-Match`")


@ranges.there
def _():
    from flask import send_file

    path = folder() / "report.txt"

    def view():
        return send_file(path)

    unmodified = ask_flask(view, headers={"If-None-Match": "*"})
    return ask_flask(view, headers={"Range": "bytes=0-2"}), unmodified


@ranges.here
async def _():
    from quart_plug import send_file

    path = folder() / "report.txt"

    async def view():
        return await send_file(path, conditional=True)

    unmodified = await ask_here(view, headers={"If-None-Match": "*"})
    return await ask_here(view, headers={"Range": "bytes=0-2"}), unmodified


directory = row("`send_from_directory(folder, name)`")


@directory.there
def _():
    from flask import send_from_directory

    reports, name = folder(), "report.txt"

    def view(folder=reports):
        return send_from_directory(folder, name)

    return ask_flask(view)


@directory.here
async def _():
    from quart_plug import send_from_directory

    reports, name = folder(), "report.txt"

    async def view(folder=reports):
        return await send_from_directory(folder, name)

    return await ask_here(view)


response_data = row("`response.data`, `response.get_data()`")


@response_data.there
def _():
    from flask import make_response

    def view():
        response = make_response("x")
        response.set_data(response.get_data() + response.data)
        return response

    return ask_flask(view)


@response_data.here
async def _():
    from quart_plug import make_response

    async def view():
        response = await make_response("x")
        response.set_data(await response.get_data(as_text=False) + await response.data)
        return response

    return await ask_here(view)


generator = row("`def rows(): yield …`")


@generator.there
def _():
    def rows():
        yield "a"
        yield "b"

    return ask_flask(lambda: rows())


@generator.here
async def _():
    async def rows():
        yield "a"
        yield "b"

    return await ask_here(lambda: rows())


with_context = row("`@stream_with_context`")


@with_context.there
def _():
    from flask import request, stream_with_context

    def view():
        @stream_with_context
        def rows():
            yield request.path

        return rows()

    return ask_flask(view)


@with_context.here
async def _():
    from quart_plug import request, stream_with_context

    async def view():
        @stream_with_context
        async def rows():
            yield request.path

        return rows()

    return await ask_here(view)
