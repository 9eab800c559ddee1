"""An error's traceback as a page, or as plain text for a client that does not ask for HTML.

Everything that comes from the error, the source or the request is escaped; the page has no script, and its
policy forbids any. Source lines are shown, local variables are not: they hold secrets.
"""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from string import Template
from types import FrameType, TracebackType

from markupsafe import escape

from quart_plug import Response, has_request_context, request

CONTEXT_LINES = 5
MAX_FRAMES = 60
MAX_ERRORS = 20

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #222; }
h1 { font-size: 1.3em; overflow-wrap: anywhere; }
h2 { font-size: 1.05em; margin-top: 2em; overflow-wrap: anywhere; }
pre { background: #f5f5f2; padding: .6em; overflow-x: auto; margin: .3em 0 1em; }
.here { background: #ffdf8c; display: inline-block; min-width: 100%; }
.where { color: #555; }
.note { border-left: 4px solid #b36b00; padding-left: .6em; white-space: pre-wrap; }
</style>
</head>
<body>
<h1>$title</h1>
$body
<p class="where">Shown because the app is in debug mode; turn that off where others can see it.</p>
</body>
</html>
"""


async def traceback_response(error: BaseException) -> Response:
    """The response (status 500) that shows the error, its causes, its notes and the errors grouped in it."""
    if has_request_context() and not _wants_html():
        return _response("".join(traceback.format_exception(error)), "text/plain")
    title = str(escape(_name(error)))
    body = "\n".join(part for shown in _chain(error) for part in _section(shown, shown is error))
    return _response(Template(TEMPLATE).substitute(title=title, body=body), "text/html")


def hidden_response() -> Response:
    """The response (status 500) for those who must not see details."""
    return _response("Internal Server Error", "text/plain")


def _response(text: str, mimetype: str) -> Response:
    # A lone surrogate in a message or in the source must not fail the page that reports an error.
    response = Response(text.encode("utf-8", "backslashreplace"), 500, content_type=f"{mimetype}; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_html() -> bool:
    accept = request.accept_mimetypes
    if not accept:
        return True
    return bool(accept["text/html"]) and accept["text/html"] >= accept["text/plain"]


def _name(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except Exception as failure:
        message = f"(its text could not be made: {type(failure).__name__})"
    return f"{name}: {message}" if message else name


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it came from, and what is grouped in each; each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < MAX_ERRORS:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.append(current.__cause__)
        if not current.__suppress_context__:
            waiting.append(current.__context__)


def _section(error: BaseException, first: bool) -> Iterator[str]:
    if not first:
        yield f"<h2>{escape(_name(error))}</h2>"
    for note in getattr(error, "__notes__", ()):
        yield f'<p class="note">{escape(note)}</p>'
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        yield from _source(error.filename, error.lineno, "", {})
    frames = list(_frames(error.__traceback__))
    for frame, line in reversed(frames[-MAX_FRAMES:]):
        yield from _source(frame.f_code.co_filename, line, frame.f_code.co_qualname, frame.f_globals)


def _frames(tb: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while tb is not None:
        yield tb.tb_frame, tb.tb_lineno
        tb = tb.tb_next


def _source(filename: str, number: int, function: str, module: dict[str, object]) -> Iterator[str]:
    lines = linecache.getlines(filename, module)
    where = f", in <code>{escape(function)}</code>" if function else ""
    yield f'<p class="where"><code>{escape(filename)}</code>, line {number}{where}</p>'
    first = max(0, number - 1 - CONTEXT_LINES)
    shown = []
    for index, line in enumerate(lines[first : number + CONTEXT_LINES], first + 1):
        text = f"{index:5}  {escape(line.rstrip())}"
        shown.append(f'<span class="here">{text}</span>' if index == number else text)
    if shown:
        yield "<pre>" + "\n".join(shown) + "</pre>"
