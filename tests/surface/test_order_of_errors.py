"""The order of what happens to a request in which something fails; see test_order_of_events.py.

Teardown functions are told of the error that nothing handled, as in Flask (Quart 0.22: of what it raises).
"""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, NotFound

from quart_plug import abort
from tests.support.events import Boom, Scenario, events

CHILD = "/parent/child/"


def aborts(code: int) -> Any:
    return lambda recorder: abort(code)


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    # Before the view
    "a before function aborts": (
        Scenario(CHILD, acts={"before_request app.1": aborts(403)}, handlers={"app": [403], "child": [403]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, errorhandler child 403 (Forbidden), after_request child.2 (418),
        after_request child.1 (418), after_request parent.2 (418), after_request parent.1 (418),
        after_app_request parent (418), after_request app.2 (418), after_request app.1 (418), save_session (418),
        request_finished (418), teardown_request child.2, teardown_request child.1, teardown_request parent.2,
        teardown_request parent.1, teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (418), -> http.response.body
        """,
    ),
    "a URL value preprocessor fails": (
        Scenario(CHILD, acts={"url_value_preprocessor parent": Boom}, handlers={"parent": [Boom]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), errorhandler parent Boom (Boom),
        after_request child.2 (418), after_request child.1 (418), after_request parent.2 (418),
        after_request parent.1 (418), after_app_request parent (418), after_request app.2 (418),
        after_request app.1 (418), save_session (418), request_finished (418), teardown_request child.2,
        teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (418), -> http.response.body
        """,
    ),
    "a receiver of request_started aborts": (
        Scenario(acts={"request_started": aborts(403)}, handlers={"app": [403]}),
        """
        appcontext_pushed, open_session, request_started, errorhandler app 403 (Forbidden),
        after_app_request parent (418), after_request app.2 (418), after_request app.1 (418), save_session (418),
        request_finished (418), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (418), -> http.response.body
        """,
    ),
    # Errors of the view
    "the view fails": (
        Scenario(CHILD, acts={"child view": Boom}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        got_request_exception (Boom), after_request child.2 (500), after_request child.1 (500),
        after_request parent.2 (500), after_request parent.1 (500), after_app_request parent (500),
        after_request app.2 (500), after_request app.1 (500), save_session (500), request_finished (500),
        teardown_request child.2 (Boom), teardown_request child.1 (Boom), teardown_request parent.2 (Boom),
        teardown_request parent.1 (Boom), teardown_app_request parent (Boom), teardown_request app.2 (Boom),
        teardown_request app.1 (Boom), request_tearing_down (Boom), teardown_appcontext 1 (Boom),
        teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom), appcontext_popped,
        -> http.response.start (500), -> http.response.body
        """,
    ),
    "the view fails in a test: Quart 0.22 answers with 500": (
        Scenario(CHILD, acts={"child view": Boom}, config={"TESTING": True}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        got_request_exception (Boom), teardown_request child.2 (Boom), teardown_request child.1 (Boom),
        teardown_request parent.2 (Boom), teardown_request parent.1 (Boom), teardown_app_request parent (Boom),
        teardown_request app.2 (Boom), teardown_request app.1 (Boom), request_tearing_down (Boom),
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, raised (Boom)
        """,
    ),
    "the view fails, and the innermost handler answers": (
        Scenario(CHILD, acts={"child view": Boom}, handlers={"child": [Boom], "parent": [Boom], "app": [Boom, 500]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        errorhandler child Boom (Boom), after_request child.2 (418), after_request child.1 (418),
        after_request parent.2 (418), after_request parent.1 (418), after_app_request parent (418),
        after_request app.2 (418), after_request app.1 (418), save_session (418), request_finished (418),
        teardown_request child.2, teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (418), -> http.response.body
        """,
    ),
    "the view fails, and a blueprint's handler for a base class is nearer than the app's": (
        Scenario(CHILD, acts={"child view": Boom}, handlers={"parent": [Exception], "app": [Boom]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        errorhandler parent Exception (Boom), after_request child.2 (418), after_request child.1 (418),
        after_request parent.2 (418), after_request parent.1 (418), after_app_request parent (418),
        after_request app.2 (418), after_request app.1 (418), save_session (418), request_finished (418),
        teardown_request child.2, teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (418), -> http.response.body
        """,
    ),
    "the view fails, and the handler for 500 answers": (
        Scenario(CHILD, acts={"child view": Boom}, handlers={"app": [500]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        got_request_exception (Boom), errorhandler app 500 (InternalServerError), after_request child.2 (418),
        after_request child.1 (418), after_request parent.2 (418), after_request parent.1 (418),
        after_app_request parent (418), after_request app.2 (418), after_request app.1 (418), save_session (418),
        request_finished (418), teardown_request child.2 (Boom), teardown_request child.1 (Boom),
        teardown_request parent.2 (Boom), teardown_request parent.1 (Boom), teardown_app_request parent (Boom),
        teardown_request app.2 (Boom), teardown_request app.1 (Boom), request_tearing_down (Boom),
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, -> http.response.start (418), -> http.response.body
        """,
    ),
    "the view aborts; a handler for the code is nearer than one for a class": (
        Scenario(CHILD, acts={"child view": aborts(404)}, handlers={"child": [HTTPException], "app": [404]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        errorhandler app 404 (NotFound), after_request child.2 (418), after_request child.1 (418),
        after_request parent.2 (418), after_request parent.1 (418), after_app_request parent (418),
        after_request app.2 (418), after_request app.1 (418), save_session (418), request_finished (418),
        teardown_request child.2, teardown_request child.1, teardown_request parent.2, teardown_request parent.1,
        teardown_app_request parent, teardown_request app.2, teardown_request app.1, request_tearing_down,
        teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down, appcontext_popped,
        -> http.response.start (418), -> http.response.body
        """,
    ),
    "the view returns an HTTP error, which is no error then": (
        Scenario(acts={"view": lambda recorder: NotFound()}, handlers={"app": [404]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (404), after_request app.2 (404), after_request app.1 (404), save_session (404),
        request_finished (404), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (404), -> http.response.body
        """,
    ),
    "the view returns what is no response": (
        Scenario(acts={"view": lambda recorder: object()}, handlers={"app": [TypeError]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        got_request_exception (TypeError), after_app_request parent (500), after_request app.2 (500),
        after_request app.1 (500), save_session (500), request_finished (500),
        teardown_app_request parent (TypeError), teardown_request app.2 (TypeError),
        teardown_request app.1 (TypeError), request_tearing_down (TypeError), teardown_appcontext 1 (TypeError),
        teardown_appcontext 2 (TypeError), appcontext_tearing_down (TypeError), appcontext_popped,
        -> http.response.start (500), -> http.response.body
        """,
    ),
    "the error handler fails": (
        Scenario(
            CHILD,
            acts={"child view": Boom, "errorhandler child Boom": KeyError},
            handlers={"child": [Boom, KeyError], "app": [500]},
        ),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        errorhandler child Boom (Boom), got_request_exception (KeyError),
        errorhandler app 500 (InternalServerError), after_request child.2 (418), after_request child.1 (418),
        after_request parent.2 (418), after_request parent.1 (418), after_app_request parent (418),
        after_request app.2 (418), after_request app.1 (418), save_session (418), request_finished (418),
        teardown_request child.2 (KeyError), teardown_request child.1 (KeyError),
        teardown_request parent.2 (KeyError), teardown_request parent.1 (KeyError),
        teardown_app_request parent (KeyError), teardown_request app.2 (KeyError),
        teardown_request app.1 (KeyError), request_tearing_down (KeyError), teardown_appcontext 1 (KeyError),
        teardown_appcontext 2 (KeyError), appcontext_tearing_down (KeyError), appcontext_popped,
        -> http.response.start (418), -> http.response.body
        """,
    ),
    # After the view
    "an after function fails: no handler is asked, and the after functions run again for the 500": (
        Scenario(CHILD, acts={"after_request child.1": Boom}, handlers={"child": [Boom]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (parent.child.index),
        url_value_preprocessor parent (parent.child.index), url_value_preprocessor child (parent.child.index),
        before_request app.1, before_request app.2, before_app_request parent, before_request parent.1,
        before_request parent.2, before_request child.1, before_request child.2, child view,
        after_request child.2 (200), after_request child.1 (200), got_request_exception (Boom),
        after_request child.2 (500), after_request child.1 (500), teardown_request child.2 (Boom),
        teardown_request child.1 (Boom), teardown_request parent.2 (Boom), teardown_request parent.1 (Boom),
        teardown_app_request parent (Boom), teardown_request app.2 (Boom), teardown_request app.1 (Boom),
        request_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
    "the session cannot be saved": (
        Scenario(acts={"save_session": Boom}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        got_request_exception (Boom), after_app_request parent (500), after_request app.2 (500),
        after_request app.1 (500), save_session (500), teardown_app_request parent (Boom),
        teardown_request app.2 (Boom), teardown_request app.1 (Boom), request_tearing_down (Boom),
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
    "a receiver of request_finished fails": (
        Scenario(acts={"request_finished": Boom}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), got_request_exception (Boom), after_app_request parent (500),
        after_request app.2 (500), after_request app.1 (500), save_session (500), request_finished (500),
        teardown_app_request parent (Boom), teardown_request app.2 (Boom), teardown_request app.1 (Boom),
        request_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
    # Unlike Quart 0.22, where the error leaves the app and what comes after it does not happen
    "the handler for 500 fails": (
        Scenario(acts={"view": Boom, "errorhandler app 500": KeyError}, handlers={"app": [500]}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view, got_request_exception (Boom),
        errorhandler app 500 (InternalServerError), teardown_app_request parent (Boom),
        teardown_request app.2 (Boom), teardown_request app.1 (Boom), request_tearing_down (Boom),
        teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom),
        appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
    "the session cannot be opened": (
        Scenario(acts={"open_session": Boom}),
        """
        appcontext_pushed, open_session, got_request_exception (Boom), after_app_request parent (500),
        after_request app.2 (500), after_request app.1 (500), request_finished (500),
        teardown_app_request parent (Boom), teardown_request app.2 (Boom), teardown_request app.1 (Boom),
        request_tearing_down (Boom), teardown_appcontext 1 (Boom), teardown_appcontext 2 (Boom),
        appcontext_tearing_down (Boom), appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
    "a teardown function fails: the others run, the response is lost": (
        Scenario(CHILD, acts={"teardown_request child.1": Boom}),
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
        -> http.response.start (500), -> http.response.body
        """,
    ),
    "the view and a teardown function fail": (
        Scenario(acts={"view": Boom, "teardown_request app.2": KeyError}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view, got_request_exception (Boom),
        after_app_request parent (500), after_request app.2 (500), after_request app.1 (500), save_session (500),
        request_finished (500), teardown_app_request parent (Boom), teardown_request app.2 (Boom),
        teardown_request app.1 (Boom), request_tearing_down (Boom), teardown_appcontext 1 (Boom),
        teardown_appcontext 2 (Boom), appcontext_tearing_down (Boom), appcontext_popped,
        -> http.response.start (500), -> http.response.body
        """,
    ),
    "a teardown function of the app's context fails": (
        Scenario(acts={"teardown_appcontext 1": Boom}),
        """
        appcontext_pushed, open_session, request_started, url_value_preprocessor app (index),
        before_request app.1, before_request app.2, before_app_request parent, view,
        after_app_request parent (200), after_request app.2 (200), after_request app.1 (200), save_session (200),
        request_finished (200), teardown_app_request parent, teardown_request app.2, teardown_request app.1,
        request_tearing_down, teardown_appcontext 1, teardown_appcontext 2, appcontext_tearing_down,
        appcontext_popped, -> http.response.start (500), -> http.response.body
        """,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_order_around_an_error(name: str) -> None:
    scenario, expected = SCENARIOS[name]
    assert await scenario.play() == events(expected)
