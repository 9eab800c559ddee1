"""The order of everything that happens to a request, recorded in one run and compared with the whole sequence.

The sequences are Quart 0.22's, but for what docs/explanation/order_of_events.md says. Errors: see the file beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException

from quart_plug import (
    after_this_request,
    copy_current_app_context,
    copy_current_request_context,
    current_app,
    flash,
    render_template_string,
    request,
    stream_with_context,
)
from tests.support.events import Boom, Recorder, Scenario, events

CHILD = "/parent/child/"


# Views that do more than return -----------------------------------------------------------------------------------


async def streams(recorder: Recorder) -> Any:
    async def body() -> AsyncIterator[str]:
        recorder.note("stream begins")
        yield "a"
        recorder.note("stream ends")

    return body()


async def streams_with_context(recorder: Recorder) -> Any:
    @stream_with_context
    async def body() -> AsyncIterator[str]:
        recorder.note("stream begins", request.path)
        yield "a"
        recorder.note("stream ends", request.path)

    return body()


async def fails_in_a_stream(recorder: Recorder) -> Any:
    @stream_with_context
    async def body() -> AsyncIterator[str]:
        recorder.note("stream begins")
        yield "a"
        raise Boom

    return body()


async def is_left_in_a_stream(recorder: Recorder) -> Any:
    @stream_with_context
    async def body() -> AsyncIterator[str]:
        recorder.note("stream begins")
        yield "a"
        recorder.leaves.set()
        try:
            await asyncio.Event().wait()
        finally:
            recorder.note("stream is closed")

    return body()


async def renders(recorder: Recorder) -> str:
    await flash("hello")
    return await render_template_string("{{ 1 }}")


async def wants_the_response(recorder: Recorder) -> None:
    @after_this_request
    async def one(response: Any) -> Any:
        recorder.note("after_this_request 1", response.status_code)
        return response

    @after_this_request
    def two(response: Any) -> Any:
        recorder.note("after_this_request 2", response.status_code)
        return response


async def starts_tasks(recorder: Recorder) -> None:
    @copy_current_request_context
    async def with_request() -> None:
        recorder.note("task with the request's context", request.path)

    @copy_current_app_context
    async def with_app() -> None:
        recorder.note("task with the app's context", current_app.name.rpartition(".")[2])

    await asyncio.create_task(with_request())
    await asyncio.create_task(with_app())


async def calls_itself(recorder: Recorder) -> Any:
    response = await current_app.test_client().get(CHILD)
    return response.status_code, 200


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    "a request": (
        Scenario(),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), -> http.response.body
        """,
    ),
    "nested blueprints": (
        Scenario(CHILD),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        after_request child.2 (200), after_request child.1 (200), after_request parent.2 (200),
        after_request parent.1 (200), after_app_request parent (200), after_request app.2 (200),
        after_request app.1 (200), save_session (200), request_finished (200), teardown_request child.2,
        teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (200), -> http.response.body
        """,
    ),
    "OPTIONS, which the app answers": (
        Scenario(method="OPTIONS"),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, after_app_request parent (200),
        after_request app.2 (200), after_request app.1 (200), save_session (200), request_finished (200),
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (200), -> http.response.body
        """,
    ),
    # What does not match
    "404": (
        Scenario("/nowhere"),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app, before_request app.1,
        before_request app.2, before_app_request parent, after_app_request parent (404),
        after_request app.2 (404), after_request app.1 (404), save_session (404), request_finished (404),
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (404), -> http.response.body
        """,
    ),
    "404 with a handler; a blueprint's is not asked": (
        Scenario("/parent/nowhere", handlers={"app": [404], "parent": [404]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app, before_request app.1,
        before_request app.2, before_app_request parent, errorhandler app 404 (NotFound),
        after_app_request parent (418), after_request app.2 (418), after_request app.1 (418), save_session (418),
        request_finished (418), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (418), -> http.response.body
        """,
    ),
    "405": (
        Scenario(CHILD + "only-post/", handlers={"app": [HTTPException], "child": [405]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app, before_request app.1,
        before_request app.2, before_app_request parent, errorhandler app HTTPException (MethodNotAllowed),
        after_app_request parent (418), after_request app.2 (418), after_request app.1 (418), save_session (418),
        request_finished (418), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (418), -> http.response.body
        """,
    ),
    "a redirect by strict_slashes, which no handler is told": (
        Scenario("/parent/child", handlers={"app": [HTTPException]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app, before_request app.1,
        before_request app.2, before_app_request parent, after_app_request parent (308),
        after_request app.2 (308), after_request app.1 (308), save_session (308), request_finished (308),
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (308), -> http.response.body
        """,
    ),
    "a before function answers where nothing matches": (
        Scenario("/nowhere", acts={"before_request app.1": "answer"}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app, before_request app.1,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), -> http.response.body
        """,
    ),
    # Before the view
    "a before function answers": (
        Scenario(CHILD, acts={"before_request parent.1": "answer"}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        after_request child.2 (200), after_request child.1 (200), after_request parent.2 (200),
        after_request parent.1 (200), after_app_request parent (200), after_request app.2 (200),
        after_request app.1 (200), save_session (200), request_finished (200), teardown_request child.2,
        teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (200), -> http.response.body
        """,
    ),
    # After the view
    "functions of this request come before the others": (
        Scenario(acts={"view": wants_the_response}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view, after_this_request 1 (200),
        after_this_request 2 (200), after_app_request parent (200), after_request app.2 (200),
        after_request app.1 (200), save_session (200), request_finished (200), teardown_app_request parent,
        teardown_request app.2, teardown_request app.1, request_tearing_down, teardown_appcontext 1,
        teardown_appcontext 2, appcontext_tearing_down, appcontext_popped, -> http.response.start (200),
        -> http.response.body
        """,
    ),
    # Bodies, templates, tasks
    "a stream": (
        Scenario(acts={"view": streams}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), stream begins, stream ends, -> http.response.body
        """,
    ),
    "a stream with the request's context": (
        Scenario(acts={"view": streams_with_context}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), appcontext_pushed, stream begins (/), stream ends (/),
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.body
        """,
    ),
    "a stream with the request's context fails": (
        Scenario(acts={"view": fails_in_a_stream}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), appcontext_pushed, stream begins,
        teardown_app_request parent (Boom), teardown_request app.2 (Boom), teardown_request app.1 (Boom),
        request_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, raised (Boom)
        """,
    ),
    "the client leaves in a stream with the request's context": (
        Scenario(acts={"view": is_left_in_a_stream}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), appcontext_pushed, stream begins, stream is closed,
        teardown_app_request parent (CancelledError), teardown_request app.2 (CancelledError),
        teardown_request app.1 (CancelledError), request_tearing_down (CancelledError),
        teardown_appcontext 1 (CancelledError), teardown_appcontext 2 (CancelledError),
        appcontext_tearing_down (CancelledError), appcontext_popped
        """,
    ),
    "a template": (
        Scenario(CHILD, acts={"child view": renders}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        message_flashed (hello), context_processor app, context_processor parent, context_processor child,
        before_render_template, template_rendered, after_request child.2 (200), after_request child.1 (200),
        after_request parent.2 (200), after_request parent.1 (200), after_app_request parent (200),
        after_request app.2 (200), after_request app.1 (200), save_session (200), request_finished (200),
        teardown_request child.2, teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (200), -> http.response.body
        """,
    ),
    "tasks with copies of the context": (
        Scenario(acts={"view": starts_tasks}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        task with the request's context (/), teardown_app_request parent, teardown_request app.2,
        teardown_request app.1, request_tearing_down, appcontext_pushed, task with the app's context (events),
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (200), -> http.response.body
        """,
    ),
    "a request inside of another one": (
        Scenario(acts={"view": calls_itself}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view, open_session,
        request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        after_request child.2 (200), after_request child.1 (200), after_request parent.2 (200),
        after_request parent.1 (200), after_app_request parent (200), after_request app.2 (200),
        after_request app.1 (200), save_session (200), request_finished (200), teardown_request child.2,
        teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        -> http.response.start (200), -> http.response.body, got_request_exception (TypeError),
        after_app_request parent (500), after_request app.2 (500), after_request app.1 (500), save_session (500),
        request_finished (500), teardown_app_request parent (TypeError), teardown_request app.2 (TypeError),
        teardown_request app.1 (TypeError), request_tearing_down (TypeError), teardown_appcontext 1 (TypeError),
        teardown_appcontext 2 (TypeError), appcontext_tearing_down (TypeError), appcontext_popped,
        -> http.response.start (500), -> http.response.body
        """,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_order_of_a_request(name: str) -> None:
    scenario, expected = SCENARIOS[name]
    assert await scenario.play() == events(expected)
