"""sentry-sdk's Quart integration: what is captured, under which name, with the request; it assigns on the classes."""

import asyncio
import threading

import pytest
import sentry_sdk
from quart import Blueprint, Quart, websocket
from sentry_sdk.integrations.quart import QuartIntegration
from sentry_sdk.transport import Transport

sent = []


class Kept(Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.headers.get("type") in ("event", "transaction"):
                sent.append((item.headers["type"], item.payload.json))


def start(**options):
    sent.clear()
    sentry_sdk.init(
        dsn="http://key@localhost/1",
        transport=Kept,
        traces_sample_rate=1.0,
        default_integrations=False,
        integrations=[QuartIntegration(**options)],
        send_default_pii=True,
    )


def events(kind):
    sentry_sdk.flush()
    return [payload for type_, payload in sent if type_ == kind]


def make_app():
    app = Quart("sentry_program")

    @app.get("/fine/<int:number>")
    async def fine(number):
        return f"fine {number}"

    @app.get("/sync")
    def sync():
        sentry_sdk.set_tag("thread", threading.current_thread() is threading.main_thread())
        return "sync"

    @app.route("/error", methods=["GET", "POST"])
    async def error():
        1 / 0

    @app.get("/message")
    async def message():
        sentry_sdk.capture_message("hello")
        return "hello"

    @app.websocket("/ws")
    async def ws():
        await websocket.accept()
        await websocket.receive()
        raise KeyError("in a websocket")

    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @blueprint.get("/")
    async def index():
        raise LookupError("in a blueprint")

    app.register_blueprint(blueprint)
    return app


async def test_an_error_is_captured_with_its_request():
    start()
    app = make_app()
    response = await app.test_client().post("/error?a=1", headers={"X-Some": "thing"})
    assert response.status_code == 500
    (event,) = events("event")
    assert event["exception"]["values"][-1]["type"] == "ZeroDivisionError"
    assert event["exception"]["values"][-1]["mechanism"] == {"type": "quart", "handled": False}
    assert event["transaction"] == "error"
    assert event["request"]["url"] == "http://localhost/error?a=1"
    assert event["request"]["method"] == "POST"
    assert event["request"]["headers"]["X-Some"] == "thing"
    assert event["request"]["query_string"] in (b"a=1", "a=1")


async def test_a_transaction_for_each_request_named_by_endpoint_or_url():
    start()
    client = make_app().test_client()
    await client.get("/fine/3")
    (transaction,) = events("transaction")
    assert transaction["transaction"] == "fine"
    assert transaction["contexts"]["trace"]["op"] == "http.server"
    assert transaction["contexts"]["trace"]["origin"] == "auto.http.quart"
    assert transaction["contexts"]["response"]["status_code"] == 200
    start(transaction_style="url")
    await client.get("/fine/3")
    (transaction,) = events("transaction")
    assert transaction["transaction"] == "/fine/<int:number>"


async def test_an_error_in_a_blueprint():
    start()
    await make_app().test_client().get("/bp/")
    (event,) = events("event")
    assert event["transaction"] == "bp.index"


async def test_an_error_in_a_websocket():
    start()
    app = make_app()
    with pytest.raises(Exception):  # noqa: B017 - the connection is closed, whatever that is called
        async with app.test_client().websocket("/ws") as connection:
            await connection.send("go")
            await connection.receive()
    (event,) = events("event")
    assert event["exception"]["values"][-1]["type"] == "KeyError"
    assert event["transaction"] == "ws"
    assert event["request"]["url"] == "ws://localhost/ws"


async def test_an_error_in_a_background_task():
    start()
    app = make_app()
    ended = asyncio.Event()

    @app.get("/task")
    async def task():
        async def work():
            try:
                raise ValueError("in the background")
            finally:
                ended.set()

        app.add_background_task(work)
        return ""

    async with app.test_app() as test_app:
        await test_app.test_client().get("/task")
        await ended.wait()
    assert [event["exception"]["values"][-1]["type"] for event in events("event")] == ["ValueError"]


async def test_plain_view_functions_and_messages():
    start()
    client = make_app().test_client()
    assert await (await client.get("/sync")).get_data(as_text=True) == "sync"
    assert await (await client.get("/message")).get_data(as_text=True) == "hello"
    (event,) = events("event")
    assert (event["message"], event["transaction"]) == ("hello", "message")


async def test_handled_errors_and_missing_pages_are_not_captured():
    start()
    app = make_app()

    @app.errorhandler(ZeroDivisionError)
    async def handled(error):
        return "handled", 418

    client = app.test_client()
    assert (await client.get("/error")).status_code == 418
    assert (await client.get("/nowhere")).status_code == 404
    assert events("event") == []


async def test_turned_off_again():
    start()
    sentry_sdk.init()
    sent.clear()
    response = await make_app().test_client().get("/fine/1")
    assert await response.get_data(as_text=True) == "fine 1"
    assert sent == []
