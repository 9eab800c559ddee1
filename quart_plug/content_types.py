"""What an app can speak beside JSON: the codecs that plugins add by the hook `content_types`.

Found when plans are compiled; an app without any has None in its place, and pays nothing. Knows no connection: who
asks says what the client accepts, sent, or negotiated.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from .exceptions import PluginHookError
from .models import without_models

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.origins import Origin

JSON = "application/json"

# What `loads` may raise for data that are none of its type; anything else is a fault of the codec.
UNREADABLE = (ValueError, EOFError, RecursionError)


@runtime_checkable
class Codec(Protocol):
    """A way to write an object as bytes, and to read it back.

    media_types  in lower case, without parameters: the first is the one to send where the client names none of them.
    subprotocol  of websockets whose messages are written so (RFC 6455, 1.9), or None.
    """

    @property
    def media_types(self) -> tuple[str, ...]: ...

    @property
    def subprotocol(self) -> str | None: ...

    def dumps(self, obj: Any) -> bytes:
        """Write an object: a dictionary, a list, or what a view gives to `send_json`. TypeError for what it cannot."""

    def loads(self, data: bytes) -> Any:
        """Read it back. ValueError (or EOFError) for what is not of this type."""


class Codecs:
    """The codecs of one app; of two for one media type or subprotocol the first counts.

    media_types  of all of them, in their order.
    """

    def __init__(self, codecs: Iterable[tuple[str, Codec]]) -> None:
        """Pairs of a plugin's name and its codec."""
        self._codecs = tuple(codecs)
        self._by_media_type: dict[str, Codec] = {}
        self._by_subprotocol: dict[str, Codec] = {}
        for _, codec in self._codecs:
            for media_type in codec.media_types:
                self._by_media_type.setdefault(media_type.lower(), codec)
            if codec.subprotocol is not None:
                self._by_subprotocol.setdefault(codec.subprotocol, codec)
        self.media_types = tuple(self._by_media_type)
        self._preferred = lru_cache(maxsize=64)(self._find_preferred)  # there are few clients' libraries

    def without(self, plugins: Set[str]) -> Codecs | None:
        """Those of other plugins; None when there are none."""
        if not plugins:
            return self
        left = [(plugin, codec) for plugin, codec in self._codecs if plugin not in plugins]
        return Codecs(left) if left else None

    def for_media_type(self, media_type: str) -> Codec | None:
        """The codec of a body's media type (lower case, without parameters)."""
        return self._by_media_type.get(media_type)

    def for_subprotocol(self, subprotocol: str | None) -> Codec | None:
        return None if subprotocol is None else self._by_subprotocol.get(subprotocol)

    def preferred(self, accept: str) -> str | None:
        """The media type for an answer that the client likes better than JSON; None: JSON.

        accept  the value of the header Accept (RFC 9110, 12.5.1). Of what it likes equally well JSON is taken, and
                where it likes none of them: an error would help nobody.
        """
        return self._preferred(accept) if accept else None

    def _find_preferred(self, accept: str) -> str | None:
        best = parse_accept_header(accept, MIMEAccept).best_match((JSON, *self.media_types), JSON)
        return None if best == JSON else best


def codecs_of(app: Quart) -> Codecs | None:
    """The codecs of an app, or None when no plugin has any. Asked once, until the plugins change."""
    filled: dict[str, Any] = app.__dict__["_filled"]
    if "content_types" not in filled:
        app.setup_plugins()
        filled = app.__dict__["_filled"]
        results = app.plugin_hooks.results("content_types", app)
        codecs = [(one.origin.plugin, checked_codec(codec, one.origin)) for one in results for codec in one.value]
        filled["content_types"] = Codecs(codecs) if codecs else None
    return filled["content_types"]  # type: ignore[no-any-return]  # put there above


def checked_codec(codec: Any, origin: Origin) -> Codec:
    """What a plugin gave to the hook `content_types`; PluginHookError when it is no codec."""
    if isinstance(codec, type) or not isinstance(codec, Codec) or not isinstance(codec.media_types, tuple):
        raise PluginHookError(
            f"{origin} gave {codec!r} to the hook 'content_types', which is no codec: that has media_types (a tuple),"
            " subprotocol, dumps and loads; see quart_plug.content_types.Codec"
        )
    return codec


class BinaryMessages:
    """A codec in the place of the JSON provider of a websocket.

    subprotocol  the one that was negotiated, for messages of errors.
    """

    def __init__(self, codec: Codec, subprotocol: str) -> None:
        self.codec = codec
        self.subprotocol = subprotocol

    def dumps(self, obj: Any, **options: Any) -> bytes:
        if options:
            raise TypeError(
                f"send_json() takes no options of JSON ({', '.join(options)}) on a websocket with the subprotocol"
                f" {self.subprotocol!r}"
            )
        try:
            return self.codec.dumps(obj)
        except TypeError:
            plain = without_models(obj)  # dataclasses and their like, which JSON's provider knows
            if plain == obj and type(plain) is type(obj):
                raise
            return self.codec.dumps(plain)

    def loads(self, data: str | bytes) -> Any:
        if isinstance(data, str):
            raise ValueError(f"with the subprotocol {self.subprotocol!r} messages are binary, and this is a text")
        return self.codec.loads(data)
