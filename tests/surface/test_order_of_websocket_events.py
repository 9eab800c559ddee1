"""The order of everything that happens to a websocket; see test_order_of_events.py.

Unlike Quart 0.22, everywhere: `websocket_received` is sent when the view takes the message, and not when it arrives;
URL value preprocessors do not fail; a blueprint's teardown functions are called; what failed after accepting closes
with 1011. See docs/explanation/order_of_events.md.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import abort, copy_current_websocket_context, websocket
from quart_plug.ctx import after_this_websocket
from tests.support.events import Boom, Recorder, Scenario, events

CHILD = "/parent/child/ws"


def aborts(code: int) -> Any:
    return lambda recorder: abort(code)


async def talks(recorder: Recorder) -> None:
    await websocket.accept()
    await websocket.send(f"{await websocket.receive()}!")


async def closes(recorder: Recorder) -> None:
    await websocket.accept()
    await websocket.close(4000)


async def accepts_and_fails(recorder: Recorder) -> None:
    await websocket.accept()
    raise Boom


async def accepts_and_aborts(recorder: Recorder) -> None:
    await websocket.accept()
    abort(404)


async def is_left(recorder: Recorder) -> None:
    await websocket.accept()
    recorder.leaves.set()
    try:
        await websocket.receive()
    except BaseException as error:
        recorder.note("is told", error)
        raise


async def has_a_function_for_the_end(recorder: Recorder) -> None:
    @after_this_websocket
    def after(response: Any) -> Any:
        recorder.note("after_this_websocket", response)
        return response

    await websocket.accept()


async def starts_a_task(recorder: Recorder) -> None:
    @copy_current_websocket_context
    async def task() -> None:
        recorder.note("task", websocket.path)

    await asyncio.create_task(task())
    await websocket.accept()


def ws(path: str = "/ws", **how: Any) -> Scenario:
    return Scenario(path, "WEBSOCKET", **how)


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    "a conversation": (
        ws(acts={"view": talks}, says=("hi",)),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        websocket_received (hi), -> websocket.send (hi!), websocket_sent (hi!), view ends,
        after_app_websocket parent, after_websocket app.2, after_websocket app.1, save_session,
        websocket_finished, teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1,
        websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> websocket.close (1000)
        """,
    ),
    "nested blueprints": (
        ws(CHILD, acts={"child view": talks}, says=("hi",)),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (parent.child.ws),
        url_value_preprocessor parent (parent.child.ws), url_value_preprocessor child (parent.child.ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, before_websocket parent.1,
        before_websocket parent.2, before_websocket child.1, before_websocket child.2, child view,
        -> websocket.accept, websocket_received (hi), -> websocket.send (hi!), websocket_sent (hi!),
        child view ends, after_websocket child.2, after_websocket child.1, after_websocket parent.2,
        after_websocket parent.1, after_app_websocket parent, after_websocket app.2, after_websocket app.1,
        save_session, websocket_finished, teardown_websocket child.2, teardown_websocket child.1,
        teardown_websocket parent.2, teardown_websocket parent.1, teardown_app_websocket parent,
        teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1,
        teardown_appcontext 2, appcontext_tearing_down, appcontext_popped, -> websocket.close (1000)
        """,
    ),
    "the view closes": (
        ws(acts={"view": closes}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        -> websocket.close (4000), view ends, after_app_websocket parent, after_websocket app.2,
        after_websocket app.1, save_session, websocket_finished, teardown_app_websocket parent,
        teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1,
        teardown_appcontext 2, appcontext_tearing_down, appcontext_popped
        """,
    ),
    "the view neither accepts nor answers: Quart 0.22 leaves the client waiting": (
        ws(),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, view ends,
        after_app_websocket parent, after_websocket app.2, after_websocket app.1, save_session,
        websocket_finished, teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1,
        websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> websocket.close (1000)
        """,
    ),
    "functions of this websocket come before the others": (
        ws(acts={"view": has_a_function_for_the_end}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        view ends, after_this_websocket, after_app_websocket parent, after_websocket app.2, after_websocket app.1,
        save_session, websocket_finished, teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.close (1000)
        """,
    ),
    "a task with a copy of the context": (
        ws(acts={"view": starts_a_task}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, task (/ws),
        teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down,
        -> websocket.accept, view ends, after_app_websocket parent, after_websocket app.2, after_websocket app.1,
        save_session, websocket_finished, teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.close (1000)
        """,
    ),
    "the client leaves: Quart 0.22 cancels the view": (
        ws(acts={"view": is_left}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        is told (ConnectionClosed), after_app_websocket parent, after_websocket app.2, after_websocket app.1,
        save_session, websocket_finished, teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped
        """,
    ),
    "the client leaves, in Quart's way": (
        ws(acts={"view": is_left}, config={"WEBSOCKET_DISCONNECT": "cancel"}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        is told (CancelledError), teardown_app_websocket parent (CancelledError),
        teardown_websocket app.2 (CancelledError), teardown_websocket app.1 (CancelledError),
        websocket_tearing_down (CancelledError), teardown_appcontext 1 (CancelledError),
        teardown_appcontext 2 (CancelledError), appcontext_tearing_down (CancelledError), appcontext_popped
        """,
    ),
    # The handshake is refused
    "nothing matches": (
        ws("/nowhere"),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app, before_websocket app.1,
        before_websocket app.2, before_app_websocket parent, after_app_websocket parent (404),
        after_websocket app.2 (404), after_websocket app.1 (404), save_session (404), websocket_finished (404),
        teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> websocket.http.response.start (404), -> websocket.http.response.body
        """,
    ),
    "nothing matches, with a handler": (
        ws("/nowhere", handlers={"app": [404]}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app, before_websocket app.1,
        before_websocket app.2, before_app_websocket parent, errorhandler app 404 (NotFound),
        after_app_websocket parent (418), after_websocket app.2 (418), after_websocket app.1 (418),
        save_session (418), websocket_finished (418), teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.http.response.start (418),
        -> websocket.http.response.body
        """,
    ),
    "the rule is for requests": (
        ws("/"),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app, before_websocket app.1,
        before_websocket app.2, before_app_websocket parent, after_app_websocket parent (400),
        after_websocket app.2 (400), after_websocket app.1 (400), save_session (400), websocket_finished (400),
        teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> websocket.http.response.start (400), -> websocket.http.response.body
        """,
    ),
    "a before function answers": (
        ws(CHILD, acts={"before_websocket parent.1": ("no", 403)}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (parent.child.ws),
        url_value_preprocessor parent (parent.child.ws), url_value_preprocessor child (parent.child.ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, before_websocket parent.1,
        after_websocket child.2 (403), after_websocket child.1 (403), after_websocket parent.2 (403),
        after_websocket parent.1 (403), after_app_websocket parent (403), after_websocket app.2 (403),
        after_websocket app.1 (403), save_session (403), websocket_finished (403), teardown_websocket child.2,
        teardown_websocket child.1, teardown_websocket parent.2, teardown_websocket parent.1,
        teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> websocket.http.response.start (403), -> websocket.http.response.body
        """,
    ),
    "a before function aborts": (
        ws(acts={"before_websocket app.1": aborts(401)}, handlers={"app": [401]}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, errorhandler app 401 (Unauthorized), after_app_websocket parent (418),
        after_websocket app.2 (418), after_websocket app.1 (418), save_session (418), websocket_finished (418),
        teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> websocket.http.response.start (418), -> websocket.http.response.body
        """,
    ),
    "the view answers": (
        ws(acts={"view": ("no", 403)}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, view ends,
        after_app_websocket parent (403), after_websocket app.2 (403), after_websocket app.1 (403),
        save_session (403), websocket_finished (403), teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.http.response.start (403),
        -> websocket.http.response.body
        """,
    ),
    "the view aborts": (
        ws(acts={"view": aborts(403)}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view,
        after_app_websocket parent (403), after_websocket app.2 (403), after_websocket app.1 (403),
        save_session (403), websocket_finished (403), teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.http.response.start (403),
        -> websocket.http.response.body
        """,
    ),
    # Errors
    "the view fails": (
        ws(acts={"view": Boom}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view,
        got_websocket_exception (Boom), after_app_websocket parent (500), after_websocket app.2 (500),
        after_websocket app.1 (500), save_session (500), websocket_finished (500),
        teardown_app_websocket parent (Boom), teardown_websocket app.2 (Boom), teardown_websocket app.1 (Boom),
        websocket_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> websocket.http.response.start (500),
        -> websocket.http.response.body
        """,
    ),
    "the view fails, and a handler answers": (
        ws(CHILD, acts={"child view": Boom}, handlers={"child": [Boom], "app": [500]}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (parent.child.ws),
        url_value_preprocessor parent (parent.child.ws), url_value_preprocessor child (parent.child.ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, before_websocket parent.1,
        before_websocket parent.2, before_websocket child.1, before_websocket child.2, child view,
        errorhandler child Boom (Boom), after_websocket child.2 (418), after_websocket child.1 (418),
        after_websocket parent.2 (418), after_websocket parent.1 (418), after_app_websocket parent (418),
        after_websocket app.2 (418), after_websocket app.1 (418), save_session (418), websocket_finished (418),
        teardown_websocket child.2, teardown_websocket child.1, teardown_websocket parent.2,
        teardown_websocket parent.1, teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.http.response.start (418),
        -> websocket.http.response.body
        """,
    ),
    "the view fails after accepting": (
        ws(acts={"view": accepts_and_fails}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        got_websocket_exception (Boom), after_app_websocket parent (500), after_websocket app.2 (500),
        after_websocket app.1 (500), save_session (500), websocket_finished (500),
        teardown_app_websocket parent (Boom), teardown_websocket app.2 (Boom), teardown_websocket app.1 (Boom),
        websocket_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> websocket.close (1011)
        """,
    ),
    "the view fails after accepting, with a handler": (
        ws(acts={"view": accepts_and_fails}, handlers={"app": [Boom]}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        errorhandler app Boom (Boom), after_app_websocket parent (418), after_websocket app.2 (418),
        after_websocket app.1 (418), save_session (418), websocket_finished (418), teardown_app_websocket parent,
        teardown_websocket app.2, teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1,
        teardown_appcontext 2, appcontext_tearing_down, appcontext_popped, -> websocket.close (1011)
        """,
    ),
    "the view aborts after accepting": (
        ws(acts={"view": accepts_and_aborts}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        after_app_websocket parent (404), after_websocket app.2 (404), after_websocket app.1 (404),
        save_session (404), websocket_finished (404), teardown_app_websocket parent, teardown_websocket app.2,
        teardown_websocket app.1, websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2,
        appcontext_tearing_down, appcontext_popped, -> websocket.close (1011)
        """,
    ),
    "an after function fails": (
        ws(acts={"view": closes, "after_websocket app.1": Boom}),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        -> websocket.close (4000), view ends, after_app_websocket parent, after_websocket app.2,
        after_websocket app.1, got_websocket_exception (Boom), after_app_websocket parent (500),
        after_websocket app.2 (500), after_websocket app.1 (500), teardown_app_websocket parent (Boom),
        teardown_websocket app.2 (Boom), teardown_websocket app.1 (Boom), websocket_tearing_down (Boom),
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped
        """,
    ),
    "the session cannot be opened: the error leaves Quart 0.22": (
        ws(acts={"open_session": Boom}),
        """
        appcontext_pushed, open_session, got_websocket_exception (Boom), after_app_websocket parent (500),
        after_websocket app.2 (500), after_websocket app.1 (500), websocket_finished (500),
        teardown_app_websocket parent (Boom), teardown_websocket app.2 (Boom), teardown_websocket app.1 (Boom),
        websocket_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> websocket.http.response.start (500),
        -> websocket.http.response.body
        """,
    ),
    "a teardown function fails: the others run": (
        ws(acts={"view": talks, "teardown_websocket app.1": Boom}, says=("hi",)),
        """
        appcontext_pushed, open_session, websocket_started, url_value_preprocessor app (ws),
        before_websocket app.1, before_websocket app.2, before_app_websocket parent, view, -> websocket.accept,
        websocket_received (hi), -> websocket.send (hi!), websocket_sent (hi!), view ends,
        after_app_websocket parent, after_websocket app.2, after_websocket app.1, save_session,
        websocket_finished, teardown_app_websocket parent, teardown_websocket app.2, teardown_websocket app.1,
        websocket_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> websocket.close (1011)
        """,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_order_of_a_websocket(name: str) -> None:
    scenario, expected = SCENARIOS[name]
    assert await scenario.play() == events(expected)
