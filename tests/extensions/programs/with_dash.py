"""dash: its Quart backend: the page, its parts and assets, callbacks over HTTP and over a websocket."""

import asyncio
import json

import pytest
from dash import Dash, Input, Output, State, callback_context, dcc, html
from dash.exceptions import PreventUpdate
from quart import Quart, request
from served import LIMIT, served
from websockets.asyncio.client import connect


@pytest.fixture
def app(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "style.css").write_text("p { color: red }")
    server = Quart("dash_program")
    app = Dash(
        "dash_program",
        server=server,
        backend="quart",
        assets_folder=str(tmp_path / "assets"),
        serve_locally=True,
        websocket_callbacks=True,
        routes_pathname_prefix="/",
    )
    assert app.server is server
    app.layout = html.Div([dcc.Input(id="name"), html.P(id="sync"), html.P(id="later"), html.P(id="stopped")])

    @app.callback(Output("sync", "children"), Input("name", "value"), State("name", "id"))
    def sync(value, id_):
        callback_context.response.set_cookie("seen", value)
        return f"sync {value} {id_} {request.path}" if request else f"sync {value}"

    @app.callback(Output("later", "children"), Input("name", "value"))
    async def later(value):
        await asyncio.sleep(0)
        return f"later {value}"

    @app.callback(Output("stopped", "children"), Input("name", "value"))
    async def stopped(value):
        raise PreventUpdate

    return app


def asking(output, value, **state):
    return {
        "output": f"{output}.children",
        "outputs": {"id": output, "property": "children"},
        "inputs": [{"id": "name", "property": "value", "value": value}],
        "changedPropIds": ["name.value"],
        "state": [{"id": id_, "property": name, "value": given} for id_, (name, given) in state.items()],
    }


async def test_the_page_and_its_parts(app):
    client = app.server.test_client()
    page = await (await client.get("/")).get_data(as_text=True)
    assert "_dash-config" in page
    assert "/assets/style.css" in page
    assert "_dash-config" in await (await client.get("/some/where")).get_data(as_text=True)
    assert await (await client.get("/assets/style.css")).get_data() == b"p { color: red }"
    layout = await (await client.get("/_dash-layout")).get_json()
    assert layout["props"]["children"][0]["props"]["id"] == "name"
    dependencies = await (await client.get("/_dash-dependencies")).get_json()
    assert {dependency["output"] for dependency in dependencies} == {
        "sync.children",
        "later.children",
        "stopped.children",
    }
    script = next(part for part in page.split('"') if "dash_renderer.v" in part or "dash_renderer.min" in part)
    response = await client.get(script)
    assert (response.status_code, response.mimetype) in ((200, "text/javascript"), (200, "application/javascript"))


async def test_callbacks_over_http(app):
    client = app.server.test_client()
    response = await client.post("/_dash-update-component", json=asking("sync", "Ada", name=("id", "name")))
    answer = await response.get_json()
    assert answer["response"] == {"sync": {"children": "sync Ada name /_dash-update-component"}}
    assert response.headers["Set-Cookie"].startswith("seen=Ada")
    response = await client.post("/_dash-update-component", json=asking("later", "Ada"))
    assert (await response.get_json())["response"] == {"later": {"children": "later Ada"}}
    assert (await client.post("/_dash-update-component", json=asking("stopped", "Ada"))).status_code == 204


async def test_callbacks_over_a_websocket(app):
    async with served(app.server) as address:
        origin = f"http://{address}"
        async with (
            asyncio.timeout(LIMIT),
            connect(f"ws://{address}/_dash-ws-callback", origin=origin) as connection,
        ):
            for number, (output, expected) in enumerate([("later", "later Ada"), ("sync", "sync Ada")]):
                state = {"name": ("id", "name")} if output == "sync" else {}
                message = {
                    "type": "callback_request",
                    "requestId": str(number),
                    "rendererId": "r",
                    "payload": asking(output, "Ada", **state),
                }
                await connection.send(json.dumps(message))
                assert expected in await connection.recv()
            await connection.send('{"type": "heartbeat"}')
            assert "heartbeat_ack" in await connection.recv()
        with pytest.raises(Exception, match=r"403|4003"):
            async with connect(f"ws://{address}/_dash-ws-callback", origin="http://elsewhere.example") as connection:
                await connection.recv()
