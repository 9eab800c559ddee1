"""`app.json`: the base of providers, and the one that is used when the application names no other.

An encoder is made once and kept, in the provider and in the app's plans. So that the attributes may be set at
any time, an assignment on an instance and one on a class both tell the app that what it has compiled is out
of date.
"""

from __future__ import annotations

import json
import weakref
from abc import ABCMeta
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from quart_plug.hooks import notify_change
from quart_plug.json.encoding import Default, encode_unknown, text_encoder

if TYPE_CHECKING:
    from quart_plug import Quart, Response

_PLAIN = ((", ", ": "), None)
_COMPACT = ((",", ":"), None)
_INDENTED = ((",", ": "), 2)
_Layout = tuple[tuple[str, str], int | None]

_UNREAD = object()
_raw_decode = json.JSONDecoder().raw_decode


class _ProviderType(ABCMeta):
    """Assignments on a provider's class reach encoders made before. ABCMeta, so that mixins work."""

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):  # ABCMeta has attributes of its own
            notify_change()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        notify_change()


class JSONProvider(metaclass=_ProviderType):
    """The base of providers: subclasses write `dumps` and `loads`, the rest follows from them.

    app  the application; it is held weakly, as `self._app`.
    """

    def __init__(self, app: Quart) -> None:
        self._app = weakref.proxy(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode `obj` as JSON text."""
        raise NotImplementedError(f"{type(self).__name__}.dumps(obj, **kwargs) has to be written")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Encode `obj` and write the text to `fp`."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Decode JSON. Raises ValueError for what is no JSON."""
        raise NotImplementedError(f"{type(self).__name__}.loads(s, **kwargs) has to be written")

    def load(self, fp: IO[Any], **kwargs: Any) -> Any:
        """Read all of `fp` and decode it."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args and kwargs:
            raise TypeError("app.json.response() takes either positional or named arguments, not both")
        if not args:
            return kwargs or None
        return args[0] if len(args) == 1 else args

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A response with one argument, a list of several, or an object of the named ones, as JSON."""
        obj = self._prepare_response_obj(args, kwargs)
        response: Response = self._app.response_class(self.dumps(obj), mimetype="application/json")
        return response


class DefaultJSONProvider(JSONProvider):
    """JSON by the standard library. The attributes may be set at any time, on an instance or on the class.

    default       called with an object that JSON does not know; see `encode_unknown`. Plugins are asked first
                  (hook `json_default`).
    ensure_ascii  escape everything that is not ASCII.
    sort_keys     sort objects by key, so that equal data give equal text; the keys have to be of one type.
    compact       whether `response` leaves out indentation and spaces; None: yes, except in debug mode.
    mimetype      the media type of `response`.
    """

    default: Default = staticmethod(encode_unknown)
    ensure_ascii: bool = True
    sort_keys: bool = True
    compact: bool | None = None
    mimetype: str = "application/json"

    _app_reference: Callable[[], Quart | None]
    _made: dict[_Layout, Callable[[Any], str]]
    _made_for: int = -1  # the generation of the app's hooks
    _plain: Callable[[Any], str] | None = None  # the one of `_made` for `dumps` without options
    _hooks: Any = None  # the app's, once there is a `_plain`
    _follows = False  # whether it is told when the plugins change

    def __init__(self, app: Quart) -> None:
        super().__init__(app)
        state = self.__dict__
        state["_app_reference"] = weakref.ref(app)
        state["_made"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self._attribute_changed()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._attribute_changed()

    def _attribute_changed(self) -> None:
        self.__dict__["_made"] = {}
        self.__dict__["_plain"] = None
        reference = self.__dict__.get("_app_reference")  # None in a subclass's constructor before super()
        plans_changed = getattr(reference and reference(), "plans_changed", None)
        if plans_changed is not None:
            plans_changed()

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode `obj` as JSON text; options as those of `json.dumps`, defaults by the provider's attributes.

        Raises TypeError for what cannot be encoded, ValueError for a circular reference.
        """
        if not kwargs:
            plain = self._plain  # for every websocket message: what `_encoder` would find
            if plain is not None and self._hooks.generation == self._made_for:
                return plain(obj)
            return self._encoder(_PLAIN)(obj)
        change = self._chain("json_dumping")
        if change is not None:
            obj = change(obj)
        kwargs.setdefault("default", self._default_with_hooks())
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        return json.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Decode JSON text, or bytes in UTF-8, UTF-16 or UTF-32; options as those of `json.loads`.

        Raises ValueError for what is no JSON, for a number with more digits than Python converts
        (`sys.get_int_max_str_digits`), and for what is nested too deeply.
        """
        value: Any = _UNREAD
        try:
            if not kwargs:
                try:  # what nearly every client sends: UTF-8 with no space around it
                    text = s if isinstance(s, str) else s.decode()
                    found, end = _raw_decode(text)
                    if end == len(text):
                        value = found
                except (ValueError, AttributeError):
                    pass  # `json.loads` has the last word
            if value is _UNREAD:
                value = json.loads(s, **kwargs)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        loaded = self._loaded
        return value if loaded is None else loaded(value)

    def _find_loaded(self, value: Any) -> Any:
        """Stands in the place of the plugins' chain as long as that is not known: until the first use, and from each
        change of plugins to the next use. So what nobody implements costs a look at an attribute.
        """
        change = self.__dict__["_loaded"] = self._chain("json_loaded")
        hooks = getattr(self._app_reference(), "plugin_hooks", None)
        if hooks is not None and not self._follows:
            self.__dict__["_follows"] = True
            hooks.on_change.append(_Forgetting(self, hooks.on_change))
        return value if change is None else change(value)

    _loaded: Any = _find_loaded

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A response with one argument, a list of several, or an object of the named ones, as JSON.

        In debug mode, unless `compact` says otherwise, it is indented. It ends with a newline.
        """
        obj = self._prepare_response_obj(args, kwargs)
        layout = self._response_layout()
        if self._overrides("dumps"):
            separators, indent = layout
            options: dict[str, Any] = {"separators": separators} if indent is None else {"indent": indent}
            text = self.dumps(obj, **options)
        else:
            text = self._encoder(layout)(obj)
        response: Response = self._app.response_class(f"{text}\n", mimetype=self.mimetype)
        return response

    def encoder(self) -> tuple[Callable[[Any], bytes], str] | None:
        """What `response` does, as (function from an object to the body, media type); for the app's plans.

        None where a subclass, or an assignment, changed what `response` or `dumps` does: then those are to be
        called.
        """
        if any(self._overrides(name) for name in _SHIPPED):
            return None
        encode = self._encoder(self._response_layout())
        return (lambda obj: (encode(obj) + "\n").encode()), self.mimetype

    def _overrides(self, name: str) -> bool:
        return name in self.__dict__ or getattr(type(self), name) is not _SHIPPED[name]

    def _response_layout(self) -> _Layout:
        compact = self.compact
        if compact is None:
            compact = not self._app.debug
        return _COMPACT if compact else _INDENTED

    def _encoder(self, layout: _Layout) -> Callable[[Any], str]:
        """The kept encoder, while no attribute, class or plugin has changed since it was made."""
        app = self._app_reference()
        hooks = getattr(app, "plugin_hooks", None)
        if hooks is not None and hooks.generation == self._made_for:
            found = self._made.get(layout)
            if found is not None:
                return found
        elif hooks is not None:
            self.__dict__["_made"] = {}
            self.__dict__["_plain"] = None
            self.__dict__["_made_for"] = hooks.generation
        separators, indent = layout
        encode = text_encoder(
            self._default_with_hooks(),
            ensure_ascii=self.ensure_ascii,
            sort_keys=self.sort_keys,
            separators=separators,
            indent=indent,
        )
        encode = self._after(self._chain("json_dumping"), encode)
        if hooks is not None:
            self._made[layout] = encode
            if layout is _PLAIN:
                self.__dict__["_plain"], self.__dict__["_hooks"] = encode, hooks
        return encode

    def _after(self, change: Callable[[Any], Any] | None, encode: Callable[[Any], str]) -> Callable[[Any], str]:
        return encode if change is None else lambda obj: encode(change(obj))

    def _chain(self, hook: str) -> Callable[[Any], Any] | None:
        """The plugins' chain of a hook that changes an object, or None."""
        reference = self._app_reference
        hooks = getattr(reference(), "plugin_hooks", None)
        chain = hooks.call(hook) if hooks is not None and hook in hooks.specs else None
        return None if chain is None else lambda obj: chain(reference(), obj)

    def _default_with_hooks(self) -> Default:
        own: Default = self.default
        app = self._app_reference()
        hooks = getattr(app, "plugin_hooks", None)
        ask = hooks.call("json_default") if hooks is not None and "json_default" in hooks.specs else None
        if ask is None:
            return own

        def default(o: Any) -> Any:
            found = ask(app, o)
            return own(o) if found is None else found

        return default


class _Forgetting:
    """Called when the plugins change: the provider, which is held weakly, forgets the chain that it knows."""

    def __init__(self, provider: DefaultJSONProvider, listeners: list[Callable[[], Any]]) -> None:
        self.provider = weakref.ref(provider)
        self.listeners = listeners

    def __call__(self) -> None:
        provider = self.provider()
        if provider is None:
            self.listeners.remove(self)
        else:
            provider.__dict__.pop("_loaded", None)


_SHIPPED = {name: getattr(DefaultJSONProvider, name) for name in ("dumps", "response", "_prepare_response_obj")}
