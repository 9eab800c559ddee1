"""The object behind `g`: a namespace for the duration of a context; and names that leave room for the application's.

Knows nothing of contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

T = TypeVar("T")

_MISSING: Any = object()


class _UnlessAssigned:
    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read
        self.__doc__ = read.__doc__

    def __get__(self, owner: Any, class_: type) -> Any:
        return self if owner is None else self.read(owner)


def unless_assigned(read: Callable[[Any], T]) -> T:
    """Declare an attribute that Quart does not have: it is read(self), until the application assigns it.

    Applications keep their own things on the app and on a websocket (`websocket.id = …`), under names that were free
    in Quart. So nothing in here may read such an attribute; it reads what the attribute reads.
    """
    return cast("T", _UnlessAssigned(read))


class Globals:
    """`g`: whatever the application wants to keep for the duration of a context."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"g has no attribute {name!r}; set it first, or use g.get({name!r})")

    if TYPE_CHECKING:  # as any object has it

        def __setattr__(self, name: str, value: Any) -> None: ...

    def get(self, name: str, default: Any = None) -> Any:
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        if default is _MISSING:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        return self.__dict__.setdefault(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        return f"<g of {sorted(self.__dict__)}>"
