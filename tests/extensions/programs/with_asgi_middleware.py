"""What wraps any ASGI app: correlation identifiers, OpenTelemetry, Prometheus, Hypercorn's middleware, Socket.IO."""

import asyncio
import json
import logging

import socketio
from asgi_correlation_id import CorrelationIdFilter, CorrelationIdMiddleware, correlation_id
from hypercorn.middleware import DispatcherMiddleware, HTTPToHTTPSRedirectMiddleware, ProxyFixMiddleware
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Counter, make_asgi_app
from quart import Quart, request, websocket
from served import LIMIT, served
from websockets.asyncio.client import connect


def make_app():
    app = Quart("asgi_program")

    @app.get("/")
    async def index():
        return {
            "id": correlation_id.get(),
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
            "root": request.root_path,
            "path": request.path,
        }

    @app.get("/items/<int:number>")
    async def item(number):
        return {"number": number}

    @app.get("/error")
    async def error():
        1 / 0

    @app.websocket("/ws")
    async def ws():
        await websocket.send(f"{websocket.scheme} {websocket.path}")

    return app


async def test_a_correlation_identifier_for_each_request():
    app = make_app()
    app.asgi_app = CorrelationIdMiddleware(app.asgi_app)
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(record.correlation_id)

    handler = Keep()
    handler.addFilter(CorrelationIdFilter())
    app.logger.addHandler(handler)
    client = app.test_client()
    response = await client.get("/")
    assert (await response.get_json())["id"] == response.headers["X-Request-ID"]
    response = await client.get("/error", headers={"X-Request-ID": "a" * 32})
    assert (response.status_code, response.headers["X-Request-ID"], records) == (500, "a" * 32, ["a" * 32])


async def test_spans_of_requests_and_websockets():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = make_app()
    app.asgi_app = OpenTelemetryMiddleware(app.asgi_app, tracer_provider=provider)
    client = app.test_client()
    await client.get("/items/3")
    async with client.websocket("/ws") as connection:
        await connection.receive()
    names = [span.name for span in exporter.get_finished_spans()]
    assert "GET /items/3" in names
    assert any("/ws" in name for name in names)


async def test_metrics_beside_the_app():
    registry = CollectorRegistry()
    counted = Counter("requests", "Requests.", ["endpoint"], registry=registry)
    app = make_app()

    @app.after_request
    async def count(response):
        counted.labels(request.endpoint).inc()
        return response

    client = app.test_client()
    for _ in range(3):
        await client.get("/items/1")
    both = DispatcherMiddleware({"/metrics": make_asgi_app(registry), "/app": app})
    async with served(both) as address:
        text = await fetched(address, "/metrics")
        assert 'requests_total{endpoint="item"} 3.0' in text
        answer = json.loads((await fetched(address, "/app/")).splitlines()[-1])
        assert (answer["root"], answer["path"]) == ("/app", "/")


async def fetched(address, path, *headers):
    """The response to GET, as text: status line, headers and body."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"GET {path} HTTP/1.1", f"Host: {address}", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(LIMIT):
        text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text


async def test_behind_a_proxy():
    fixed = ProxyFixMiddleware(make_app(), mode="legacy", trusted_hops=1)
    async with served(fixed) as address:
        text = await fetched(
            address,
            "/",
            "X-Forwarded-For: 10.1.2.3",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: www.example.com",
        )
    answer = json.loads(text.splitlines()[-1])
    assert (answer["address"], answer["scheme"], answer["host"]) == ("10.1.2.3", "https", "www.example.com")


async def test_redirected_to_https():
    async with served(HTTPToHTTPSRedirectMiddleware(make_app(), host="www.example.com")) as address:
        text = await fetched(address, "/items/3?a=1")
    assert text.startswith("HTTP/1.1 307")
    assert "location: https://www.example.com/items/3?a=1" in text.lower()


async def test_socket_io_beside_the_app():
    server = socketio.AsyncServer(async_mode="asgi")
    app = make_app()

    @server.event
    async def greet(sid, data):
        await server.emit("answer", {"hello": data["name"]}, to=sid)

    started = []
    app.before_serving(lambda: started.append(True))
    async with served(socketio.ASGIApp(server, app)) as address:
        assert json.loads((await fetched(address, "/items/4")).splitlines()[-1]) == {"number": 4}
        assert started == [True]
        async with (
            asyncio.timeout(LIMIT),
            connect(f"ws://{address}/socket.io/?EIO=4&transport=websocket") as connection,
        ):
            assert (await connection.recv()).startswith("0{")
            await connection.send("40")
            assert (await connection.recv()).startswith("40{")
            await connection.send('42["greet",{"name":"Ada"}]')
            assert await connection.recv() == '42["answer",{"hello":"Ada"}]'
        async with asyncio.timeout(LIMIT), connect(f"ws://{address}/ws") as connection:
            assert await connection.recv() == "ws /ws"
