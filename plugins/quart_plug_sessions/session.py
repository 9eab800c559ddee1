"""What `session` is: a dictionary that knows whether it was looked at and whether it was changed.

Looking counts as well as changing: a response that depends on the session must not be served from a cache to
somebody else (`Vary: Cookie`; GHSA-m2qf-hxjv-5gpq), and `in`, `len` and iteration are looking too. Knows no
cookie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import wraps
from typing import Any, NoReturn, TypeVar

from werkzeug.datastructures import CallbackDict

F = TypeVar("F", bound=Callable[..., Any])


class SessionMixin(MutableMapping[str, Any]):
    """What an interface's sessions have beside being a mapping.

    new       whether the session did not exist before; for interfaces that know.
    modified  whether it was changed. True for sessions that do not know.
    accessed  whether it was looked at or changed. True for sessions that do not know.
    """

    new = False
    modified = True
    accessed = True

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser's; for `PERMANENT_SESSION_LIFETIME`."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def _looking(method: F) -> F:
    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.accessed = True
        return method(self, *args, **kwargs)

    return call  # type: ignore[return-value]  # same arguments, same result


def _note_change(session: Any) -> None:
    session.modified = True


def _changing(method: F) -> F:
    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.accessed = True
        result = method(self, *args, **kwargs)
        self.modified = True
        on_update = self.on_update
        if on_update is not _note_change and on_update is not None:
            on_update(self)
        return result

    return call  # type: ignore[return-value]  # same arguments, same result


def _maybe_changing(method: F) -> F:
    """For methods that change a dictionary exactly when its length changes."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.accessed = True
        length = dict.__len__(self)
        result = method(self, *args, **kwargs)
        if dict.__len__(self) != length:
            self.modified = True
            on_update = self.on_update
            if on_update is not _note_change and on_update is not None:
                on_update(self)
        return result

    return call  # type: ignore[return-value]  # same arguments, same result


class SecureCookieSession(CallbackDict[str, Any], SessionMixin):
    """A session whose whole content is in a signed cookie: the client can read it, but not change it.

    Changes inside of a value (`session["list"].append(1)`) are not noticed; set `session.modified = True`
    then.

    on_update  called with the session after each change, beside setting `modified`.
    """

    modified = False
    accessed = False
    on_update: Callable[[Any], Any] | None = staticmethod(_note_change)

    def __init__(self, initial: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        dict.__init__(self, initial or ())

    def __repr__(self) -> str:
        self.accessed = True
        return f"<{type(self).__name__} {dict.__repr__(self)}>"

    __getitem__ = _looking(dict.__getitem__)
    __contains__ = _looking(dict.__contains__)
    __iter__ = _looking(dict.__iter__)
    __reversed__ = _looking(dict.__reversed__)
    __len__ = _looking(dict.__len__)
    __eq__ = _looking(dict.__eq__)
    __ne__ = _looking(dict.__ne__)
    __or__ = _looking(dict.__or__)
    __ror__ = _looking(dict.__ror__)
    __hash__ = None  # type: ignore[assignment]  # as every mutable mapping
    get = _looking(dict.get)
    keys = _looking(dict.keys)
    values = _looking(dict.values)
    items = _looking(dict.items)
    copy = _looking(dict.copy)

    __setitem__ = _changing(dict.__setitem__)
    __delitem__ = _changing(dict.__delitem__)
    __ior__ = _changing(dict.__ior__)
    clear = _changing(dict.clear)
    popitem = _changing(dict.popitem)
    update = _changing(dict.update)  # type: ignore[assignment]  # dict's overloads, told by werkzeug as one function
    pop = _maybe_changing(dict.pop)  # type: ignore[assignment]
    setdefault = _maybe_changing(dict.setdefault)  # type: ignore[assignment]


_NO_SECRET_KEY = (
    "the session cannot be changed, because there is no key to sign its cookie with: set app.secret_key, or"
    " the setting SECRET_KEY, to a long random value that stays secret, such as secrets.token_hex() gives"
)


class NullSession(SecureCookieSession):
    """The session where there is none: empty, and an error to change."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(_NO_SECRET_KEY)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = _refuse
