"""The traceback page: what it shows, to whom, and that nothing in it is taken as markup."""

from __future__ import annotations

import pytest

from quart_plug import Quart
from quart_plug.debug import TEMPLATE, traceback_response

EVIL = "<script>alert('x')</script>&\"'"


def app(debug: bool = True) -> Quart:
    made = Quart(__name__)
    made.debug = debug

    @made.get("/")
    async def index() -> str:
        secret_local = "s3cret"  # noqa: F841 - it is there not to be shown
        raise LookupError(EVIL)

    return made


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


async def text_of(error: BaseException) -> str:
    return str(await (await traceback_response(error)).get_data(as_text=True))


async def test_it_shows_the_frames_with_their_source_lines() -> None:
    page = await text_of(raised(LookupError("lost")))
    assert "<h1>LookupError: lost</h1>" in page
    assert f"<code>{__file__}</code>" in page
    assert '<span class="here">' in page
    assert "raise error" in page


async def test_it_answers_500_and_forbids_scripts() -> None:
    response = await traceback_response(raised(LookupError("lost")))
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("place", ["message", "note", "cause", "group", "class", "source"])
async def test_everything_is_escaped(place: str) -> None:
    error: BaseException = ValueError("plain")
    if place == "message":
        error = ValueError(EVIL)
    elif place == "note":
        error.add_note(EVIL)
    elif place == "cause":
        error.__cause__ = ValueError(EVIL)
    elif place == "group":
        error = ExceptionGroup("several", [ValueError(EVIL)])
    elif place == "class":
        error = type(EVIL, (Exception,), {})("x")
    else:
        compiled = compile(f"raise ValueError({EVIL!r})", f"<{EVIL}>", "exec")
        with pytest.raises(ValueError, match="script") as caught:
            exec(compiled)
        error = caught.value
    page = await text_of(raised(error))
    assert "&lt;script&gt;" in page
    assert "<script" not in page


async def test_causes_contexts_notes_and_groups_are_shown() -> None:
    error = ExceptionGroup("several", [ValueError("first"), KeyError("second")])
    error.__cause__ = OSError("the cause")
    error.__cause__.__context__ = EOFError("the context")
    error.add_note("From the plugin 'x'.")
    page = await text_of(error)
    for words in ("several", "first", "second", "the cause", "the context", "From the plugin &#39;x&#39;."):
        assert words in page


async def test_a_cycle_of_causes_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert (await text_of(first)).count("<h2>") == 1


async def test_an_error_that_cannot_be_made_text_is_shown_nonetheless() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert "its text could not be made: RuntimeError" in await text_of(raised(Mute()))


async def test_a_lone_surrogate_does_not_break_the_page() -> None:
    assert "\\udc80" in await text_of(raised(ValueError("\udc80")))


async def test_a_syntax_error_shows_its_own_line(tmp_path: object) -> None:
    path = f"{tmp_path}/bad.py"
    with open(path, "w") as file:
        file.write("x = 1\ndef broken(:\n")
    with pytest.raises(SyntaxError) as caught:
        compile("x = 1\ndef broken(:\n", path, "exec")
    page = await text_of(caught.value)
    assert f"<code>{path}</code>, line 2" in page
    assert "def broken(:" in page


async def test_a_failing_view_gets_the_page_in_debug_mode_without_local_values() -> None:
    response = await app().test_client().get("/", headers={"Accept": "text/html"})
    page = await response.get_data(as_text=True)
    assert response.status_code == 500
    assert "LookupError" in page
    assert "index" in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("*/*", "text/html"),
        ("text/plain", "text/plain"),
        ("application/json", "text/plain"),
        ("text/html;q=0.1, text/plain", "text/plain"),
    ],
)
async def test_a_client_that_does_not_want_html_gets_text(accept: str, mimetype: str) -> None:
    async with app().test_request_context("/", headers={"Accept": accept}):
        response = await traceback_response(raised(LookupError("lost")))
    assert response.mimetype == mimetype
    assert "LookupError" in await response.get_data(as_text=True)


async def test_outside_debug_mode_nothing_is_shown() -> None:
    """Neither by the app nor by the plugin, were it asked."""
    made = app(debug=False)
    response = await made.test_client().get("/")
    assert response.status_code == 500
    assert "LookupError" not in await response.get_data(as_text=True)
    hidden = await made.plugin_slot("debug_page").render(made, LookupError(EVIL))
    assert await hidden.get_data(as_text=True) == "Internal Server Error"


def test_the_template_is_there_under_quarts_name() -> None:
    assert isinstance(TEMPLATE, str)
    assert "<script" not in TEMPLATE
