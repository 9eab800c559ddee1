"""A hook or an after function that answers with what is of no use is named, and no other one; nothing escapes."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from quart_plug import Quart, Response, after_this_request, hookimpl, render_template_string, websocket
from quart_plug.exceptions import PluginHookError
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError


def app_with(hook: str, answer: Any, sync: bool = False) -> Quart:
    """An app with a plugin `wrong`, whose implementation of `hook` gives `answer`."""

    class Wrong:
        pass

    if sync:

        def implementation() -> Any:
            return answer
    else:

        async def implementation() -> Any:  # type: ignore[misc]  # of the other colour
            return answer

    implementation.__name__ = hook
    setattr(Wrong, hook, staticmethod(hookimpl(implementation)))
    app = Quart(__name__)
    app.hooks.register(Wrong(), "wrong")

    @app.route("/")
    async def index() -> str:
        return "index"

    @app.route("/fails")
    async def fails() -> str:
        raise ValueError("of the view")

    @app.websocket("/")
    async def talk() -> None:
        await websocket.send(await websocket.receive())

    return app


def errors_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The errors that were logged."""
    return [str(record.exc_info[1]) for record in caplog.records if record.exc_info is not None]


def error_of(caplog: pytest.LogCaptureFixture) -> str:
    """The one error that was logged."""
    (error,) = errors_of(caplog)
    return error


@pytest.mark.parametrize(
    ("hook", "path"), [("request_before", "/"), ("request_error", "/fails"), ("route_unmatched", "/nowhere")]
)
async def test_an_answer_that_is_no_response(hook: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    response = await app_with(hook, 3.5).test_client().get(path)
    assert response.status_code == 500
    said = error_of(caplog)
    assert f"the hook {hook!r} (implemented by plugin 'wrong') did not answer" in said.lower()
    assert "It returned a float: 3.5" in said
    assert "view function" not in said


async def test_an_answer_to_a_handshake_that_is_no_response(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WebsocketResponseError) as refused:
        async with app_with("websocket_before", 3.5).test_client().websocket("/") as connection:
            await connection.receive()
    assert refused.value.response.status_code == 500
    assert "hook 'websocket_before' (implemented by plugin 'wrong')" in error_of(caplog)


async def test_what_is_not_the_hooks_is_not_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    """An error handler's value that takes the place of the hook's."""
    app = app_with("request_before", 3.5)
    app.register_error_handler(500, lambda error: 4.5)
    response = await app.test_client().get("/")
    assert response.status_code == 500
    first, last = errors_of(caplog)
    assert "hook 'request_before'" in first
    assert "a float: 4.5" in last
    assert "request_before" not in last


async def test_every_plugin_of_the_hook_is_named(caplog: pytest.LogCaptureFixture) -> None:
    app = app_with("request_before", 3.5)

    class Other:
        @hookimpl
        async def request_before(self, ctx: Any) -> None:
            pass

    app.hooks.register(Other(), "other")
    await app.test_client().get("/")
    assert "(implemented by plugin 'wrong', plugin 'other')" in error_of(caplog)


@pytest.mark.parametrize("answer", ["text", 3, {"a": 1}])
async def test_an_after_hook_that_gives_no_response(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets 500; the hook is asked about that response too, and is told of both times."""
    response = await app_with("request_after", answer).test_client().get("/")
    assert response.status_code == 500
    assert "Internal Server Error" in await response.get_data(as_text=True)
    errors = errors_of(caplog)
    assert len(errors) == 2
    for said in errors:
        assert f"the hook 'request_after' (implemented by plugin 'wrong') answered with a {type(answer).__name__}" in (
            said.replace("an int", "a int")
        )


async def test_an_after_hook_of_a_handshake_that_gives_no_response(caplog: pytest.LogCaptureFixture) -> None:
    """Of one that is refused; of one that was accepted there is no response, and nobody gets it."""
    app = app_with("websocket_after", "text")
    app.before_websocket(lambda: "refused")
    with pytest.raises(WebsocketResponseError) as refused:
        async with app.test_client().websocket("/") as connection:
            await connection.receive()
    assert refused.value.response.status_code == 500
    assert "hook 'websocket_after' (implemented by plugin 'wrong')" in errors_of(caplog)[0]

    async with app_with("websocket_after", "text").test_client().websocket("/") as connection:
        await connection.send("x")
        assert await connection.receive() == "x"
        with pytest.raises(WebsocketDisconnectError) as end:
            await connection.receive()
    assert end.value.code == 1000


@pytest.mark.parametrize("answer", [None, "text"])
@pytest.mark.parametrize("register", ["app", "this request"])
async def test_an_after_function_that_gives_no_response(
    answer: Any, register: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets 500, though the function is called with that response too."""
    app = Quart(__name__)

    def forgetful(response: Response) -> Any:
        return answer

    @app.route("/")
    async def index() -> str:
        if register == "this request":
            after_this_request(forgetful)
        return "index"

    if register == "app":
        app.after_request(forgetful)
    response = await app.test_client().get("/")
    assert response.status_code == 500
    said = errors_of(caplog)[0]
    assert "forgetful" in said
    assert f"returned {'None' if answer is None else 'a str: '}" in said


@pytest.mark.parametrize(
    ("hook", "attribute", "part"),
    [
        ("session_interface", "session_interface", "'open_session'"),
        ("json_provider", "json", "'dumps'"),
        ("template_engine", "jinja_env", "'render'"),
        ("command_line", "cli", "'group'"),
    ],
)
def test_what_does_not_fit_into_a_slot(hook: str, attribute: str, part: str) -> None:
    app = app_with(hook, 3, sync=True)
    with pytest.raises(PluginHookError) as caught:
        getattr(app, attribute)
    assert f"the hook {hook!r} (implemented by plugin 'wrong'" in str(caught.value)
    assert "answered with 3, which has no" in str(caught.value)
    assert part in str(caught.value)


def test_a_part_of_a_session_interface() -> None:
    class Half:
        def open_session(self, app: Any, request: Any) -> None: ...
        def make_null_session(self, app: Any) -> None: ...

    app = app_with("session_interface", Half(), sync=True)
    with pytest.raises(PluginHookError, match="has no 'is_null_session', 'save_session';"):
        _ = app.session_interface


@pytest.mark.parametrize("hook", ["template_context", "template_filters", "template_globals", "template_tests"])
async def test_names_for_templates_that_are_no_mapping(hook: str) -> None:
    app = app_with(hook, 3, sync=True)
    async with app.app_context():
        with pytest.raises(TypeError) as caught:
            await render_template_string("x")
    said = f"the hook {hook!r} (implemented by plugin 'wrong') answered with an int: 3; it has to be a mapping"
    assert said in str(caught.value)


@pytest.mark.parametrize("hook", ["websocket_received", "websocket_sending"])
async def test_what_is_no_message(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    async with app_with(hook, 3).test_client().websocket("/") as connection:
        await connection.send("x")
        with pytest.raises(WebsocketDisconnectError) as end:
            await connection.receive()
    assert end.value.code == 1011
    said = error_of(caplog)
    assert f"the hook {hook!r} (implemented by plugin " in said
    assert "plugin 'wrong') answered with an int: 3; it has to be a str or bytes" in said


@pytest.fixture(autouse=True)
def errors_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
