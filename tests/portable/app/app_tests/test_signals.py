"""Signals: who is told, in which order, with what."""

from __future__ import annotations

import pytest
from board.signals import Recorder
from quart import Quart, template_rendered
from quart.testing import WebsocketResponseError


async def test_a_request(app, client):
    with Recorder(app) as recorder:
        await client.get("/methods")
    assert recorder.order == [
        "appcontext_pushed",
        "request_started",
        "request_finished",
        "request_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    values = dict(recorder.heard)
    assert values["request_finished"]["response"].status_code == 200
    assert values["request_tearing_down"]["exc"] is None


async def test_templates_and_flashes(app, client, notes):
    with Recorder(app, "before_render_template", "template_rendered", "message_flashed") as recorder:
        await client.get("/notes/1")
        await client.get("/auth/flash")
        await client.get("/globals")
        await client.get("/streamed")
    assert recorder.order == [
        "before_render_template", "template_rendered", "message_flashed", "message_flashed",
        "before_render_template", "template_rendered", "before_render_template", "template_rendered",
    ]  # fmt: skip
    _, rendered = recorder.heard[1]
    assert rendered["template"].name == "notes/show.html"
    assert rendered["context"]["note"] is notes[0]
    assert recorder.heard[2][1] == {"message": "one", "category": "error"}


async def test_errors(app, client):
    with Recorder(app, "got_request_exception", "request_tearing_down", "request_finished") as recorder:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        response = await client.get("/returns/number")
        assert response.status_code == 500
    assert recorder.order == ["got_request_exception", "request_finished", "request_tearing_down"]
    assert isinstance(recorder.heard[0][1]["exception"], TypeError)


async def test_a_handled_error_is_no_error(app, client):
    with Recorder(app, "got_request_exception") as recorder:
        await client.get("/fails")
        await client.get("/nowhere")
    assert recorder.heard == []


async def test_a_websocket(app, client):
    with Recorder(app) as recorder:
        async with client.websocket("/live/negotiate/x") as connection:
            with pytest.raises(WebsocketResponseError):
                await connection.receive()
        async with client.websocket("/live/echo") as connection:
            await connection.send("hello")
            assert await connection.receive() == "hello"
    told = [name for name in recorder.order if not name.startswith("appcontext")]
    assert told[:3] == ["websocket_started", "websocket_finished", "websocket_tearing_down"]
    assert set(told[3:]) == {"websocket_started", "websocket_received", "websocket_sent", "websocket_tearing_down"}
    assert told[-1] == "websocket_tearing_down"


async def test_a_websocket_that_fails(app, client):
    with Recorder(app, "got_websocket_exception") as recorder, pytest.raises(Exception):  # noqa: B017
        async with client.websocket("/live/crashes") as connection:
            await connection.receive()
    assert [repr(values["exception"]) for _, values in recorder.heard] == ["RuntimeError('after the handshake')"]


async def test_receivers_of_another_application_are_not_told(app, client):
    with Recorder(Quart("other")) as recorder:
        await client.get("/")
    assert recorder.heard == []


async def test_a_signal_is_connected_for_a_while(app, client):
    names = []

    def remember(sender, template, context, **extra):
        names.append(template.name)

    with template_rendered.connected_to(remember, app):
        await client.get("/")
    await client.get("/")
    assert names == ["index.html"]
