"""The plugin in an application, by quart-plug's test client."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from quart_plug import Quart, abort, websocket
from quart_plug.exceptions import PluginHookError
from quart_plug.testing import WebsocketResponseError

from quart_plug_timing import RequestIdFilter, measure, request_id
from quart_plug_timing.slowest import Slowest

NEW = re.compile(r"[0-9a-f]{32}")


@pytest.fixture(autouse=True)
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def make(plug: Any, **config: Any) -> Quart:
    app: Quart = plug("timing", config={"PLUGIN_CONFIG": {"timing": config}})

    @app.get("/")
    async def index() -> str:
        app.logger.warning("100 %% of %s", "it")
        return str(request_id())

    @app.get("/measured")
    async def measured() -> str:
        with measure("db"):
            pass
        return ""

    @app.get("/fails")
    async def fails() -> str:
        raise RuntimeError("no luck")

    @app.get("/teapot")
    async def teapot() -> str:
        abort(418)

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(str(request_id()))

    @app.websocket("/refused")
    async def refused() -> Any:
        return "no", 401

    return app


async def test_view_header_and_log_have_one_id(plug: Any, caplog: Any) -> None:
    client = make(plug).test_client()
    response = await client.get("/")
    id = response.headers["x-request-id"]
    assert NEW.fullmatch(id)
    assert await response.get_data(as_text=True) == id
    assert f"[{id}] 100 % of it" in caplog.messages
    assert re.fullmatch(rf"GET / 200 in [\d.]+ ms, id {id}", caplog.messages[-1])
    assert (await client.get("/")).headers["x-request-id"] != id


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/fails", 500, r"GET /fails 500 \(RuntimeError\)"),
        ("/nowhere", 404, "GET /nowhere 404"),
        ("/teapot", 418, "GET"),
    ],
)
async def test_errors_have_it_too(
    plug: Any, caplog: Any, path: str, status: int, line: str
) -> None:
    app = make(plug)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = await app.test_client().get(path)
    assert response.status_code == status
    id = response.headers["x-request-id"]
    assert "total;dur=" in response.headers["server-timing"]
    assert re.match(line, caplog.messages[-1]) and id in caplog.messages[-1]
    if status == 500:  # the framework's line about the error
        assert any(
            f"[{id}] Exception on request GET /fails" in message
            for message in caplog.messages
        )


async def test_a_websocket_has_it_in_its_handshake_and_in_the_log(
    plug: Any, caplog: Any
) -> None:
    client = make(plug).test_client()
    async with client.websocket("/ws") as connection:
        id = await connection.receive()
        assert connection.headers["x-request-id"] == id
    assert re.fullmatch(
        rf"WEBSOCKET /ws 1000 closed by the \w+ in [\d.]+ ms, id {id}",
        caplog.messages[-1],
    )


async def test_a_refused_websocket_has_it_too(plug: Any, caplog: Any) -> None:
    async with make(plug).test_client().websocket("/refused") as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
    id = caught.value.response.headers["x-request-id"]
    assert re.match(
        rf"WEBSOCKET /refused 401 in [\d.]+ ms, id {id}", caplog.messages[-1]
    )


TRUSTED = {"header": "x-trace", "trusted": True, "max_length": 16}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (["abc-1.2_3~x"], True),
        (["a" * 16], True),
        (["a" * 17], False),
        ([""], False),
        (["two words"], False),
        (["a\u00e9"], False),
        (["%s"], False),
        (["-rm"], False),
        (["<b>"], False),
        (["one", "two"], False),
    ],
)
async def test_an_id_that_comes_in_is_looked_at(
    plug: Any, given: list[str], taken: bool
) -> None:
    client = make(plug, **TRUSTED).test_client()
    response = await client.get("/", headers=[("x-trace", value) for value in given])
    id = response.headers["x-trace"]
    assert id == given[0] if taken else NEW.fullmatch(id)


async def test_an_id_that_comes_in_is_taken_only_when_that_is_configured(
    plug: Any,
) -> None:
    response = await make(plug).test_client().get("/", headers={"x-request-id": "abc"})
    assert NEW.fullmatch(response.headers["x-request-id"])


async def test_what_is_measured_is_told(plug: Any) -> None:
    app = make(plug)
    response = await app.test_client().get("/measured")
    assert re.fullmatch(
        r"db;dur=[\d.]+, total;dur=[\d.]+", response.headers["server-timing"]
    )
    with pytest.raises(ValueError, match="cannot be an entry"), measure("two words"):
        pass
    with measure("outside"):
        assert request_id() is None


async def test_headers_and_lines_can_be_turned_off(plug: Any, caplog: Any) -> None:
    client = make(
        plug, header="", server_timing=False, log=False, mark="attribute"
    ).test_client()
    response = await client.get("/")
    assert not {"x-request-id", "server-timing"} & {
        name.lower() for name, _ in response.headers
    }
    assert caplog.messages == ["100 % of it"]
    assert caplog.records[0].request_id == await response.get_data(as_text=True)


async def test_a_slow_request_is_a_warning(plug: Any, caplog: Any) -> None:
    await make(plug, slow=1e-9).test_client().get("/nowhere")
    assert caplog.records[-1].levelno == logging.WARNING
    await make(plug, slow=0).test_client().get("/nowhere")
    assert caplog.records[-1].levelno == logging.INFO


async def test_a_path_cannot_begin_a_line(plug: Any, caplog: Any) -> None:
    await make(plug).test_client().get("/a%0Ab%0D")
    assert "GET /a\\nb\\r 404" in caplog.messages[-1]


async def test_the_inspector_shows_the_slowest(plug: Any) -> None:
    """Where it is enabled; the hook is its own, and absent otherwise."""
    app = make(plug)
    with pytest.raises(PluginHookError, match="inspector_panels"):
        app.plugin_hooks.implementations("inspector_panels")
    plug.allow_leaks("environment")  # the inspector's token
    app = plug("timing", "inspector", config={"DEBUG": True})
    await app.test_client().get("/nowhere")
    panel = app.plugin_hooks.call("inspector_panels")(app)[0]
    assert [(row[1], row[2]) for row in panel["rows"]] == [("GET /nowhere", "404")]


def test_only_the_slowest_are_kept() -> None:
    slowest = Slowest()
    for seconds in [*range(100), *range(50)]:
        slowest.add(seconds, "GET /", "200", str(seconds))
    assert [row[3] for row in slowest.rows()] == [str(s) for s in range(99, 79, -1)]


def test_records_outside_of_a_request_have_no_id() -> None:
    record = logging.makeLogRecord({"msg": "hello"})
    assert RequestIdFilter().filter(record)
    assert (record.request_id, record.getMessage()) == ("-", "hello")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"header": "X Y"}, "header cannot be 'X Y'"),
        ({"slow": -1.0}, "slow has to be 0 or more"),
        ({"max_length": 2}, "max_length has to be from 8 to 256"),
        ({"mark": "suffix"}, "mark"),
        ({"trust": True}, "trusted"),
    ],
)
def test_a_configuration_that_cannot_be_is_an_error(
    plug: Any, config: dict[str, Any], words: str
) -> None:
    plug.fails("timing", match=words, config={"PLUGIN_CONFIG": {"timing": config}})


def test_two_plugins_with_request_ids_cannot_be_active_together(plug: Any) -> None:
    other = plug.plugin(
        "other", declares={"provides": ["request_id"]}, setup=lambda app: None
    )
    plug.fails("timing", other, match="conflicts with")
