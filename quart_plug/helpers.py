"""The functions that views use: URLs, redirects, responses, flashed messages, streams, files."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.exceptions import NotFound
from werkzeug.exceptions import abort as werkzeug_abort
from werkzeug.utils import redirect as werkzeug_redirect

from .concurrency import run_sync_iterable
from .ctx import iterate_within
from .files import safe_join, send_file, send_from_directory
from .globals import _cv, app_ctx, connection_around, current_app, request, request_ctx, session
from .hooks.names import lazy_names
from .kinds import REQUEST
from .reexports import HELPERS
from .resources import lies_below, package_folder
from .scaffold import find_root_path

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .signals import message_flashed
    from .utils import file_path_to_path
    from .wrappers import Response
    from .wrappers.response import ResponseBody

__all__ = [
    "DEFAULT_MIMETYPE",
    "NotFound",
    "Response",
    "ResponseBody",
    "abort",
    "app_ctx",
    "current_app",
    "file_path_to_path",
    "find_package",
    "flash",
    "get_debug_flag",
    "get_flashed_messages",
    "get_load_dotenv",
    "get_root_path",
    "get_template_attribute",
    "locked_cached_property",
    "make_push_promise",
    "make_response",
    "message_flashed",
    "redirect",
    "request",
    "request_ctx",
    "safe_join",
    "send_file",
    "send_from_directory",
    "session",
    "stream_with_context",
    "url_for",
    "werkzeug_abort",
    "werkzeug_redirect",
]

DEFAULT_MIMETYPE = "application/octet-stream"  # of a file whose name tells nothing

# What Quart offers here as well; it lives in modules above this one, and in a plugin.
__getattr__, __dir__ = lazy_names(__name__, HELPERS)

_OFF = {"0", "false", "no", "off", ""}


def get_debug_flag() -> bool:
    """Whether the environment turns debug mode on: QUART_PLUG_DEBUG, or Quart's QUART_DEBUG."""
    for name in ("QUART_PLUG_DEBUG", "QUART_DEBUG"):
        value = os.environ.get(name)
        if value is not None:
            return value.lower() not in _OFF
    return False


def get_load_dotenv(default: bool = True) -> bool:
    """Whether `.env` files are loaded; QUART_PLUG_SKIP_DOTENV, or Quart's QUART_SKIP_DOTENV, turns it off."""
    value = os.environ.get("QUART_PLUG_SKIP_DOTENV", os.environ.get("QUART_SKIP_DOTENV"))
    return default if not value else value.lower() in _OFF


def get_root_path(import_name: str) -> str:
    """The folder of a module or package; the working directory when it has none."""
    return find_root_path(import_name)


def find_package(name: str) -> tuple[Path | None, Path]:
    """The prefix under which a package is installed (None outside of `sys.prefix`), and the folder it lies in.

    name  of a package or module; for "package.module" it is the package's folder.
    """
    folder = package_folder(name)
    return (Path(sys.prefix) if lies_below(folder, sys.prefix) else None), Path(folder)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _external: bool | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    **values: Any,
) -> str:
    """The URL of an endpoint; see `Quart.url_for`."""
    return current_app.url_for(
        endpoint, _anchor=_anchor, _external=_external, _method=_method, _scheme=_scheme, **values
    )


def abort(code: int | WerkzeugResponse, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP error of a status code, or one that answers with the given response."""
    ctx = _cv.get(None)
    if ctx is not None:
        ctx.app.aborter(code, *args, **kwargs)
    werkzeug_abort(code, *args, **kwargs)


def redirect(location: str, code: int = 302, Response: Any = None) -> WerkzeugResponse:
    """A response that sends the client to `location`; code 301, 302, 303, 305, 307 or 308."""
    ctx = _cv.get(None)
    if ctx is not None and Response is None:
        return ctx.app.redirect(location, code=code)
    if Response is None:
        from .wrappers import Response as Default

        Response = Default
    return werkzeug_redirect(location, code=code, Response=Response)


async def make_response(*args: Any) -> Response:
    """The Response for what a view may return, to change it before it is returned: `await make_response(value)`."""
    if not args:
        return current_app.response_class("")  # type: ignore[no-any-return]
    return await current_app.make_response(args[0] if len(args) == 1 else args)  # type: ignore[no-any-return]


async def flash(message: str, category: str = "message") -> None:
    """Keep a message for the next request of this session; templates show it with `get_flashed_messages`."""
    flashes = session.get("_flashes", [])
    flashes.append((category, message))
    session["_flashes"] = flashes
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    hook = app.chain_here("message_flashed")
    if hook is not None:
        await hook(app, message, category)


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """The flashed messages, which are taken from the session by the first call of a request.

    category_filter  the categories to show; all of them when empty.
    """
    ctx = connection_around(_cv.get(None))
    if ctx is None:
        raise RuntimeError("get_flashed_messages() needs a session: call it in a request, or in a template of one")
    if ctx.flashes is None:
        found = ctx.session.pop("_flashes", None) if "_flashes" in ctx.session else None
        ctx.flashes = [(category, message) for category, message in found or ()]
    # A single category may be given as it is, as Flask has it.
    wanted = category_filter if isinstance(category_filter, str) else tuple(category_filter)
    flashes = [pair for pair in ctx.flashes if not wanted or pair[0] in wanted]
    return flashes if with_categories else [message for _, message in flashes]


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """A macro or variable that a template exports."""
    return current_app.plugin_slot("template_engine").get_attribute(
        current_app._get_current_object(),  # type: ignore[attr-defined]  # a proxy
        template_name,
        attribute,
    )


async def make_push_promise(path: str) -> None:
    """Ask the server to push `path` (HTTP/2), where it can."""
    await request.send_push_promise(path)


def stream_with_context(func: Callable[..., Any]) -> Callable[..., AsyncGenerator[Any, None]]:
    """Let a generator function that makes a response's body use `request`, `session` and `g` while it is sent.

    As in Quart the body has a context of its own, with the same `g`: when it ends, the teardown functions are called
    once more, for what the body has opened.
    """
    current = connection_around(_cv.get(None), REQUEST)
    if current is None:
        raise RuntimeError(
            "stream_with_context needs a request; call it in a view, where the response is made"
        )
    ctx = current.copy()

    @wraps(func)
    def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        def make() -> AsyncIterator[Any]:
            source = func(*args, **kwargs)
            return source if hasattr(source, "__anext__") else run_sync_iterable(source)

        return iterate_within(ctx.copy(), make)

    return generate


class locked_cached_property(cached_property[Any]):
    """A property whose function is called once for each instance, also when threads ask for it at the same time."""

    def __init__(self, fget: Callable[[Any], Any], name: str | None = None, doc: str | None = None) -> None:
        super().__init__(fget)
        self.__name__ = name or fget.__name__
        self.__doc__ = doc or fget.__doc__
        self.lock = threading.RLock()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with self.lock:
            return super().__get__(instance, owner)
