"""`Request`: an HTTP request, with its body as bytes, JSON, form and files.

What touches the body is a coroutine; everything else comes from base.py. A body, its limits and its parsed
forms are made when first asked for. Knows no routing and no response.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, NoReturn, overload

from werkzeug.datastructures import CombinedMultiDict, Headers, MultiDict

from ..content_types import UNREADABLE, codecs_of
from ..exceptions import BadRequest
from ..globals import _cv
from .base import BaseRequestWebsocket, may_be_skipped, when_touched
from .body import Body as Body
from .multipart import FormDataParser
from .scope import declared_length

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..content_types import Codec
    from ..ctx import Context
    from ..datastructures import FileStorage
    from ..typing import Scope

# What a pushed request takes over from the one that causes it.
SERVER_PUSH_HEADERS_TO_COPY = {"accept", "accept-encoding", "accept-language", "cache-control", "user-agent"}


class _Limit:
    """A limit of the request: what was assigned, else the application's setting, else None.

    Kept beside the name, so that the application's setting is seen as long as nothing was assigned; one that
    the body holds to is passed on to it.
    """

    def __init__(self, setting: str, of_body: str | None = None) -> None:
        self.setting = setting
        self.of_body = of_body

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_{name}"

    def __get__(self, request: Any, owner: type) -> Any:
        if request is None:
            return self
        assigned = getattr(request, self.slot)
        if assigned is not ...:
            return assigned
        ctx = request._ctx or _cv.get(None)
        return None if ctx is None or ctx.app is None else ctx.app.config[self.setting]

    def __set__(self, request: Any, value: float | None) -> None:
        setattr(request, self.slot, value)
        body = request.__dict__.get("body")
        if body is not None and self.of_body is not None:
            setattr(body, self.of_body, value)


class Request(BaseRequestWebsocket):
    """An HTTP request.

    body                  awaitable and asynchronously iterable; see `Body`.
    max_content_length    bytes of the body (MAX_CONTENT_LENGTH). Each limit is None for none, and can be
                          assigned for one request before its body is read; beyond it there is a 413.
    max_form_memory_size  bytes of a multipart form's fields, files aside (MAX_FORM_MEMORY_SIZE).
    max_form_parts        number of a multipart form's parts (MAX_FORM_PARTS).
    body_timeout          seconds that the client may take to send the body (BODY_TIMEOUT); then a 408. For a body
                          that is iterated over: that it may take for each chunk.
    """

    body_class: type[Body] = Body
    form_data_parser_class: type[FormDataParser] = FormDataParser
    lock_class: type[asyncio.Lock] = asyncio.Lock

    max_content_length = _Limit("MAX_CONTENT_LENGTH", of_body="max_content_length")
    max_form_memory_size = _Limit("MAX_FORM_MEMORY_SIZE")
    max_form_parts = _Limit("MAX_FORM_PARTS")
    body_timeout = _Limit("BODY_TIMEOUT", of_body="timeout")

    def _make_body(self) -> Body:
        ctx = self._ctx
        if ctx is not None:
            length = declared_length(ctx.scope["headers"])
            return self.body_class.from_inbox(ctx.inbox, length, self.max_content_length, self.body_timeout)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        body = self.body_class(declared_length(raw), self.max_content_length)
        body.timeout = self.body_timeout
        if self._plan is not None:
            body.disconnect()  # there is nobody left to send it
        return body

    body: Body = when_touched(_make_body)


    _max_content_length: Any = ...  # not assigned
    _max_form_memory_size: Any = ...
    _max_form_parts: Any = ...
    _body_timeout: Any = ...

    _form: MultiDict[str, Any] | None = None
    _files: MultiDict[str, Any] | None = None
    _form_error: BaseException | None = None
    _parsing_lock: asyncio.Lock | None = None
    _cached_json: tuple[Any, Any] = (..., ...)  # for silent=False and for silent=True
    _send_push_promise: Callable[[str, Headers], Awaitable[None]] | None = None

    @may_be_skipped
    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        root_path: str,
        http_version: str,
        scope: Scope,
        *,
        max_content_length: int | None = None,
        body_timeout: int | None = None,
        send_push_promise: Callable[[str, Headers], Awaitable[None]],
    ) -> None:
        super().__init__(method, scheme, path, query_string, headers, root_path, http_version, scope)
        if max_content_length is not None:
            self.max_content_length = max_content_length
        if body_timeout is not None:
            self.body_timeout = body_timeout
        self._send_push_promise = send_push_promise

    def _call_constructor(self, ctx: Context) -> None:
        model = Request.__new__(Request)
        model._ctx = ctx
        model.scope = ctx.scope
        self.__init__(  # type: ignore[misc]  # a subclass's own one, which `from_context` must not go around
            model.method,
            model.scheme,
            model.path,
            model.query_string,
            model.headers,
            model.root_path,
            model.http_version,
            scope=model.scope,
            max_content_length=model.max_content_length,
            body_timeout=model.body_timeout,
            send_push_promise=model._push,
        )

    # Bytes --------------------------------------------------------------------------------------------------

    @property
    async def data(self) -> bytes:
        """The body; empty when it was a form that has been streamed into `form` and `files`."""
        return await self.get_data(as_text=False, parse_form_data=True)

    @property
    async def stream(self) -> NoReturn:
        """Flask's blocking stream, which an asynchronous request does not have."""
        raise NotImplementedError(
            "A request has no blocking stream: use `async for chunk in request.body` or `await request.body`."
        )

    @overload
    async def get_data(
        self, cache: bool, as_text: Literal[False], parse_form_data: bool = False
    ) -> bytes: ...
    @overload
    async def get_data(self, cache: bool, as_text: Literal[True], parse_form_data: bool = False) -> str: ...
    @overload
    async def get_data(
        self, cache: bool = True, *, as_text: Literal[False] = False, parse_form_data: bool = False
    ) -> bytes: ...
    @overload
    async def get_data(
        self, cache: bool = True, *, as_text: Literal[True], parse_form_data: bool = False
    ) -> str: ...
    @overload
    async def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> bytes | str: ...

    async def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> bytes | str:
        """The whole body.

        cache            False: forget the body afterwards, which leaves nothing to a later call.
        as_text          decode it as UTF-8, with U+FFFD for what is not.
        parse_form_data  fill `form` and `files` first if it is a form.

        Raises RequestEntityTooLarge, RequestTimeout, ClientDisconnected; BadRequest for a malformed
        Content-Length.
        """
        if parse_form_data:
            await self._load_form_data()
        data = await self.body
        if not cache:
            self.body.clear()
        return data.decode(errors="replace") if as_text else data

    # JSON ---------------------------------------------------------------------------------------------------

    @property
    async def json(self) -> Any:
        """The body as JSON; None when its media type is not JSON. Raises BadRequest."""
        return await self.get_json()

    async def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body as JSON, loaded by the application's provider; None when its media type is not JSON.

        A body of a media type that a plugin has a codec for (hook `content_types`) is read by that.

        force   take it for JSON whatever the media type says, unless there is a codec.
        silent  None for what cannot be loaded, instead of BadRequest.
        cache   keep the body and the result.
        """
        cached = self._cached_json[silent]
        if cached is not ... and cache:
            return cached
        is_json = self.is_json
        codec = None if is_json else self._codec()
        if codec is None and not (force or is_json):
            return None
        # Straight to the body, unless a subclass has its own way to it.
        plain = cache and type(self).get_data is _get_data
        data = await self.body if plain else await self.get_data(cache)
        try:
            result = self.json_module.loads(data.decode()) if codec is None else codec.loads(data)
        except UNREADABLE as error:  # no JSON or too long an integer; nested too deeply
            result = None if silent else self.on_json_loading_failed(error)
            if cache:
                normal, quiet = self._cached_json
                self._cached_json = (normal, result) if silent else (result, quiet)
        else:
            if cache:
                self._cached_json = (result, result)
        return result

    def on_json_loading_failed(self, error: Exception) -> Any:
        """What `get_json` returns for what is no JSON. This raises BadRequest, and says why in debug mode."""
        app = self._app()
        if app is not None and app.debug:
            language = "JSON" if self._codec() is None else self.mimetype
            raise BadRequest(f"Failed to decode {language}: {error}") from error
        raise BadRequest from error

    def _codec(self) -> Codec | None:
        """What a plugin reads bodies of this media type with."""
        plan = self._plan if self._ctx is None else self._ctx.plan
        app = self._app()
        if not self.mimetype or (plan is None and app is None):
            return None
        codecs = codecs_of(app) if plan is None else plan.codecs  # type: ignore[arg-type]  # one of them is there
        return None if codecs is None else codecs.for_media_type(self.mimetype)

    # Forms --------------------------------------------------------------------------------------------------

    @property
    async def form(self) -> MultiDict[str, str]:
        """The fields of a form; empty when the body is no form."""
        await self._load_form_data()
        return self._form  # type: ignore[return-value]  # loaded

    @property
    async def files(self) -> MultiDict[str, FileStorage]:
        """The uploaded files by the names of their fields. They are closed when the request is."""
        await self._load_form_data()
        return self._files  # type: ignore[return-value]  # loaded

    @property
    async def values(self) -> CombinedMultiDict[str, str]:
        """`args`, and `form` too unless the method is GET."""
        sources: list[MultiDict[str, str]] = [self.args]
        if self.method != "GET":
            sources.append(await self.form)
        return CombinedMultiDict(sources)

    def make_form_data_parser(self) -> FormDataParser:
        """The parser of this request's form, with this request's limits."""
        return self.form_data_parser_class(
            max_content_length=self.max_content_length,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )

    def _form_loaded(self) -> bool:
        return self._form is not None

    async def _load_form_data(self) -> None:
        if self._form_loaded():
            return
        if self._parsing_lock is None:
            self._parsing_lock = self.lock_class()
        async with self._parsing_lock:
            if self._form_loaded():  # by another task meanwhile
                return
            if self._form_error is not None:
                raise self._form_error  # half of the body is gone: there is nothing to parse a second time
            self.body.timed_as_a_whole = True
            try:
                self._form, self._files = await self.make_form_data_parser().parse(
                    self.body, self.mimetype, self.content_length, self.mimetype_params
                )
            except Exception as error:
                self._form_error = error
                raise
            if self._files and self._ctx is not None:
                self._ctx.to_close = [*(self._ctx.to_close or ()), self.close]

    # The rest -----------------------------------------------------------------------------------------------

    async def send_push_promise(self, path: str) -> None:
        """Announce to an HTTP/2 client that it will need `path`; without effect where the server cannot push.

        The announced request has those headers of this one that are named in SERVER_PUSH_HEADERS_TO_COPY.
        """
        headers = Headers()
        for name in SERVER_PUSH_HEADERS_TO_COPY:
            for value in self.headers.getlist(name):
                headers.add(name, value)
        await (self._send_push_promise or self._push)(path, headers)

    async def _push(self, path: str, headers: Headers) -> None:
        """ASGI's `http.response.push`, an extension that the scope has to name."""
        ctx = self._ctx
        if ctx is None or "http.response.push" not in (ctx.scope.get("extensions") or {}):
            return
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await ctx.send({"type": "http.response.push", "path": path, "headers": raw})

    async def close(self) -> None:
        """Close the uploaded files. The lifecycle calls it at the end of a request."""
        if self._files is not None:
            for storages in self._files.listvalues():
                for storage in storages:
                    storage.close()


_get_data = Request.get_data
