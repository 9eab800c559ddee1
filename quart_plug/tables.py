"""Lists and dictionaries that tell when they are changed.

Flask lets people change its tables (`before_request_funcs`, `view_functions`, `error_handler_spec`, …) at any time.
The tables here are what the application is compiled from, so a change has to be noticed; they stay real lists and
dictionaries. Knows nothing of what it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

Changed = Callable[[], None]


def _telling(name: str, base: type) -> Any:
    method = getattr(base, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            self.changed()

    call.__name__ = name
    call.__doc__ = method.__doc__
    return call


class ObservedList(list[Any]):
    """A list that calls `changed()` after every change."""

    def __init__(self, items: Any = (), *, changed: Changed) -> None:
        super().__init__(items)
        self.changed = changed

    for _name in (
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
        *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    ):
        locals()[_name] = _telling(_name, list)
    del _name

    def __reduce__(self) -> Any:
        return list, (list(self),)


class ObservedDict(defaultdict[Any, Any]):
    """A dictionary that calls `changed()` after every change; `default` makes what a missing key holds.

    A key that is only looked up is added too, as in any defaultdict, but that changes nothing and is not told.
    """

    def __init__(self, default: Callable[[Changed], Any] | None = None, *, changed: Changed) -> None:
        super().__init__((lambda: default(changed)) if default is not None else None)
        self.changed = changed
        self._default = default

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._default is not None and not hasattr(value, "changed"):
            made = self._default(self.changed)
            made.extend(value) if isinstance(made, list) else made.update(value)
            value = made
        super().__setitem__(key, value)
        self.changed()

    def __missing__(self, key: Any) -> Any:
        if self._default is None:
            raise KeyError(key)
        value = self._default(self.changed)
        super().__setitem__(key, value)
        return value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = [] if default is None and self._default is not None else default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]  # dict has overloads, this takes all of them
        self.update(other)
        return self

    def copy(self) -> Any:
        """The content as a plain dictionary, which tells nobody."""
        return dict(self)

    __copy__ = copy

    for _name in ("__delitem__", "pop", "popitem", "clear"):
        locals()[_name] = _telling(_name, dict)
    del _name

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class PublicTable:
    """A table as an attribute of an app or blueprint (`owner._changed()` is told), kept under its own name.

    What is assigned is copied into a table that tells; the owner's own table, as it was read, is put back as it is.
    """

    def __init__(self, make: Callable[[Changed], Any], doc: str) -> None:
        self.make = make
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, owner: Any, class_: type) -> Any:
        return self if owner is None else owner.__dict__[self.name]

    def __set__(self, owner: Any, value: Any) -> None:
        changed = owner._changed
        if getattr(value, "changed", None) != changed:
            content, value = value, self.make(changed)
            value.extend(content) if isinstance(value, list) else value.update(content)
        owner.__dict__[self.name] = value
        changed()


def make_tables(owner: Any) -> None:
    """Make every public table of an app or blueprint, empty."""
    for class_ in type(owner).__mro__:
        for name, table in vars(class_).items():
            if isinstance(table, PublicTable):
                owner.__dict__[name] = table.make(owner._changed)


def plain_table(changed: Changed) -> ObservedDict:
    """`{key: anything}`."""
    return ObservedDict(changed=changed)


def function_list(changed: Changed) -> ObservedList:
    """`[functions]`."""
    return ObservedList(changed=changed)


def function_lists(changed: Changed) -> ObservedDict:
    """`{blueprint name or None: [functions]}`."""
    return ObservedDict(lambda told: ObservedList(changed=told), changed=changed)


def error_handlers(changed: Changed) -> ObservedDict:
    """`{blueprint name or None: {status code or None: {exception class: handler}}}`."""
    return ObservedDict(
        lambda told: ObservedDict(lambda told: ObservedDict(changed=told), changed=told), changed=changed
    )
