"""From a view's return value to ASGI messages.

Two ways lead there. `ready` makes the three parts of a reply (status, headers, body) at once, for the
plain values that most views return and when nobody asks for a Response. `make_response` makes a Response
of everything a view may
return. `deliver` sends either. Knows no routing and no plan beyond what `reply_headers` put there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import isasyncgen, isgenerator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as SansIOResponse

from ..answers import HookAnswer
from .bodies import DataBody, IterableBody, chunk_bytes
from .response import Response
from .response_headers import LENGTHS, Headers, Pair, content_type_of, content_type_pair

if TYPE_CHECKING:
    from ..app import Quart
    from ..typing import Send

Ready: TypeAlias = tuple[int, list[Pair], bytes]

# Statuses whose message has no content (RFC 9110, 6.4.1); 205 has an empty one (15.3.6).
WITHOUT_CONTENT = frozenset((*range(100, 200), 204, 205, 304))

_ABOUT_CONTENT = (b"content-length", b"content-type")
_FORMS = "(value, status), (value, headers) or (value, status, headers)"
_VALUES = "a str, bytes, dict, list, Response, (asynchronous) generator, or a tuple with one of these first"


class ReplyHeaders:
    """What `ready` needs to know; compiled with a plan.

    status        the status of a reply that names none.
    text          the Content-Type pair of str and bytes.
    encode, json  the function from a dict or list to the body, and its Content-Type pair; or None.
    """

    __slots__ = ("encode", "json", "status", "text")

    def __init__(
        self, status: int, text: Pair, encode: Callable[[Any], bytes] | None, json: Pair | None
    ) -> None:
        self.status = status
        self.text = text
        self.encode = encode
        self.json = json


class HasReplyHeaders(Protocol):
    """A plan."""

    reply: ReplyHeaders | None


_shipped_init = Response.__init__
_new = object.__new__


def reply_headers(app: Quart) -> ReplyHeaders | None:
    """What `ready` needs for this app, or None when replies have to be made by its `response_class`."""
    class_ = app.response_class
    mimetype, status = class_.default_mimetype, class_.default_status
    # Compared with what was shipped and not with the class's own, which somebody may have patched.
    if class_ is not Response or class_.__init__ is not _shipped_init:
        return None
    if mimetype is None or type(status) is not int or status in WITHOUT_CONTENT:
        return None
    encoder = getattr(app.json_provider_or_none(), "encoder", None)
    found = None if encoder is None else encoder()
    text = content_type_pair(content_type_of(mimetype))
    if found is None:
        return ReplyHeaders(status, text, None, None)
    encode, json_mimetype = found
    return ReplyHeaders(status, text, encode, content_type_pair(content_type_of(json_mimetype)))


def ready(result: Any, plan: HasReplyHeaders) -> Ready | None:
    """The reply for a plain value, or None when it takes a Response to make it.

    Plain are exactly str, bytes, dict and list, and tuples of one of these with an int status that has
    content.
    """
    known: ReplyHeaders = plan.reply  # type: ignore[assignment]  # a plan without one does not come here
    status = known.status
    kind = type(result)
    if kind is tuple:
        if len(result) != 2:
            return None
        result, status = result
        if type(status) is not int or not 200 <= status <= 599 or status in WITHOUT_CONTENT:
            return None
        kind = type(result)
    pair = known.text
    if kind is str:
        body = result.encode()
    elif (kind is dict or kind is list) and known.encode is not None:
        body = known.encode(result)
        pair = known.json  # type: ignore[assignment]  # comes with `encode`
    elif kind is bytes:
        body = result
    else:
        return None
    size = len(body)
    return status, [pair, LENGTHS[size] if size < 4097 else (b"content-length", b"%d" % size)], body


def from_ready(app: Quart, reply: Ready) -> Response:
    """The Response that a ready reply stands for, for whoever wants one after all."""
    status, pairs, body = reply
    content_type = pairs[0][1].decode()
    if app.response_class is not Response:
        class_: type[Response] = app.response_class
        return class_(body, status, content_type=content_type)
    response = _new(Response)
    response._data = body
    response._status_code = status
    response._content_type = content_type
    return response


def from_text(text: str, known: ReplyHeaders) -> Response:
    """The Response for a str, where the class is the shipped one; what its constructor would make of it."""
    response = _new(Response)
    response._data = text.encode()
    response._status_code = known.status
    return response


# Any value ------------------------------


def make_response(app: Quart, result: Any, endpoint: str | None = None, view: Any = None) -> Response:
    """The Response for anything that a view may return.

    endpoint, view  whose value it is, for the messages; None where that is not known.

    Raises TypeError, which names the view, where it stands and the cure.
    """
    value, status, headers = result, None, None
    if isinstance(result, tuple):
        if len(result) == 3:
            value, status, headers = result
        elif len(result) == 2:
            value, second = result
            if second is None or isinstance(second, (int, str, bytes, float)):
                status = second
            else:
                headers = second
        else:
            found = f"a tuple of {len(result)}" if result else "an empty tuple"
            raise TypeError(f"{_blame(endpoint, view)} It returned {found}; a tuple has to be {_FORMS}.")
    response = _response_from(app, value, endpoint, view)
    if status is not None:
        _set_status(response, status, endpoint, view)
    if headers is not None:
        try:
            response.headers.update(headers)
        except (TypeError, AttributeError) as error:
            raise TypeError(
                f"{_blame(endpoint, view)} Its headers are {headers!r}; they have to be a dict, a list of "
                f"(name, value) or Headers."
            ) from error
    return response


def _set_status(response: Response, status: Any, endpoint: str | None, view: Any) -> None:
    if isinstance(status, bytes):
        status = status.decode()
    elif isinstance(status, float) and status.is_integer():
        status = int(status)  # Quart takes whatever `int` takes
    if not isinstance(status, (int, str)):
        raise TypeError(
            f"{_blame(endpoint, view)} Its status is {status!r}; a status is an int, an HTTPStatus or a str "
            f"such as '201 CREATED'."
        )
    response.status = status
    if not 100 <= response.status_code <= 999:
        raise ValueError(
            f"{_blame(endpoint, view)} Its status is {status!r}; HTTP's are numbers from 100 to 599, such as "
            f"404, or '404 NOT FOUND'."
        )


def _response_from(app: Quart, value: Any, endpoint: str | None, view: Any) -> Response:
    class_: type[Response] = app.response_class
    if isinstance(value, Response):
        return convert(class_, value)
    if isinstance(value, (str, bytes, bytearray)):
        return class_(value)
    if isinstance(value, (dict, list)):
        made: Response = app.json.response(value)
        return made
    if isinstance(value, (SansIOResponse, HTTPException)):
        return convert(class_, value)
    if isgenerator(value) or isasyncgen(value) or _is_iterator(value):
        return class_(value)
    blame = _blame(endpoint, view)
    if value is None:
        raise TypeError(f"{blame} It returned None, or ended without `return`; return {_VALUES}.")
    if callable(value):
        raise TypeError(f"{blame} It returned {value!r}, which is not called here; return {_VALUES}.")
    raise TypeError(f"{blame} It returned {_a(type(value).__name__)}: {_short(value)}; return {_VALUES}.")


def _is_iterator(value: Any) -> bool:
    return hasattr(value, "__anext__") or (hasattr(value, "__next__") and hasattr(value, "__iter__"))


def _blame(endpoint: str | None, view: Any) -> str:
    """The beginning of each message: which view, and where it stands."""
    if endpoint is None and view is None:
        return "The value is not a valid response."
    if isinstance(view, HookAnswer):
        return f"The {view} did not answer with a valid response."
    who = f"for {endpoint!r}" if endpoint is not None else ""
    place = _place(view)
    where = f" ({place})" if place else ""
    return f"The view function {who}{where} did not return a valid response.".replace("  ", " ")


def _place(view: Any) -> str:
    """The function's name, file and line, as far as they can be told."""
    if view is None:
        return ""
    view = inspect.unwrap(view)
    view = getattr(view, "func", view)  # a partial
    code = getattr(view, "__code__", None)
    name = getattr(view, "__qualname__", None) or repr(view)
    return name if code is None else f"{name}, {code.co_filename}:{code.co_firstlineno}"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeioAEIO" else f"a {noun}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


# Responses of other classes ------------------------------


def convert(class_: type[Response], response: SansIOResponse | HTTPException) -> Response:
    """`response` as a response of this framework, of `class_` if it has to be made.

    A subclass of Response stays what it is, since code that made it may look for it (as in Quart). A plain
    Response becomes one of `class_`, werkzeug's are taken over with status, headers, body and what is
    called on close.
    """
    if isinstance(response, HTTPException):
        response = response.get_response()
    if isinstance(response, Response):
        if type(response) is Response and class_ is not Response:
            if response._headers is None:
                response._headers = response._build_headers()  # by the defaults of the class that it was made with
            response.__class__ = class_
        return response
    if not isinstance(response, SansIOResponse):
        raise TypeError(f"{response!r} is not a response; make one with make_response()")
    made = class_(_foreign_body(response), response.status, Headers(response.headers))
    close = getattr(response, "close", None)
    if close is not None and (
        isinstance(made.response, IterableBody) or getattr(response, "_on_close", None)
    ):
        made.call_on_close(close)
    return made


def _foreign_body(response: SansIOResponse) -> Any:
    encoded = getattr(response, "iter_encoded", None)
    if encoded is None:
        return None  # sans-I/O: it never had one
    if getattr(response, "is_sequence", False):
        return b"".join(encoded())
    return encoded()


# Sending ------------------------------


async def deliver(reply: Ready | SansIOResponse, send: Send, method: str) -> None:
    """Send a reply: in two messages when its body is data, else chunk by chunk.

    HEAD gets the headers alone; what has no content by its status gets none, and no headers about it. A
    streaming body is left, and `call_on_close` functions are called, whatever happens: also when the
    client leaves.
    """
    parts = parts_of(reply, method == "HEAD")
    if parts is None:
        if not isinstance(reply, Response):
            reply = convert(Response, reply)  # type: ignore[arg-type]  # Ready is a tuple exactly
        await _stream(reply, send, method)
        return
    await send({"type": "http.response.start", "status": parts[0], "headers": parts[1]})
    await send({"type": "http.response.body", "body": parts[2]})


def parts_of(reply: Ready | SansIOResponse, head: bool) -> Ready | None:
    """Status, headers and body of a reply whose body is data, as they are sent; None for one that has to be streamed.

    head  whether the request's method is HEAD.
    """
    if type(reply) is tuple:
        status, headers, body = reply
    else:
        if not isinstance(reply, Response):
            reply = convert(Response, reply)  # type: ignore[arg-type]  # Ready is a tuple exactly
        data = reply._data
        if data is None or reply._on_close is not None:
            return None
        status, headers, body = reply._status_code, reply.asgi_headers(), data
    if head or status in WITHOUT_CONTENT:
        return status, headers_without_content(status, headers), b""
    return status, headers, body


def headers_without_content(status: int, headers: list[Pair]) -> list[Pair]:
    """The headers of a message that is sent without its content."""
    if status not in WITHOUT_CONTENT:
        return headers  # HEAD: what the content would have been (RFC 9110, 9.3.2)
    headers = [pair for pair in headers if pair[0] not in _ABOUT_CONTENT]
    if status == 205:
        headers.append(LENGTHS[0])
    return headers


async def _stream(response: Response, send: Send, method: str) -> None:
    entered = False
    try:
        status, headers = response._status_code, response.asgi_headers()
        if method == "HEAD" or status in WITHOUT_CONTENT:
            headers = headers_without_content(status, headers)
            await send({"type": "http.response.start", "status": status, "headers": headers})
        elif response._data is not None or type(response.response) is DataBody:
            body = response._data
            if body is None:
                body = response.response.part  # type: ignore[attr-defined]  # a DataBody
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        else:
            entered = True
            # Entered first: a file that cannot be opened is an error to be answered, and not a broken answer.
            async with response.response as chunks:
                await send({"type": "http.response.start", "status": status, "headers": headers})
                async for chunk in chunks:
                    if chunk:
                        if type(chunk) is not bytes:
                            chunk = chunk_bytes(chunk)
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await response.close(body=not entered)
