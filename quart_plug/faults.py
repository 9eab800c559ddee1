"""What does not fit, and how it is said: the path, what was expected, what was given; never a secret.

Must not know: how data is converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .masking import hides, masked

NOTHING: Any = object()
LIMIT = 100  # faults: nobody reads more, and a message of a websocket may hold a million


class Text(str):
    """A text that stands for a value of any type, as those of the environment do."""

    __slots__ = ()


class Fault:
    """One thing that does not fit.

    path     the keys and positions that lead to it, from the outside; () is the whole.
    problem  what was expected, or what is wrong.
    given    the value, unless it says nothing.
    secret   whether the value must not be shown.
    missing  whether nothing was given.
    """

    __slots__ = ("given", "missing", "path", "problem", "secret")

    def __init__(
        self, problem: str, given: Any = NOTHING, path: tuple[str | int, ...] = (), missing: bool = False
    ) -> None:
        self.problem = problem
        self.given = given
        self.path = path
        self.secret = False
        self.missing = missing

    @property
    def text(self) -> str:
        """What is wrong, without the path."""
        return self.problem if self.given is NOTHING else f"{self.problem}, not {show(self.given, self.secret)}"

    def __str__(self) -> str:
        where = path_text(self.path)
        return f"{where}: {self.text}" if where else f"it {self.text}"


class ConversionError(ValueError):
    """Data does not fit its type. `faults` is everything that is wrong, in the order of the data."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


_PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")


def is_secret(name: str, metadata: Mapping[Any, Any] | None = None) -> bool:
    """Whether a field's value is not to be shown: `metadata={"secret": …}` says so, else its name suggests it."""
    marked = (metadata or {}).get("secret")
    return hides(name) if marked is None else bool(marked)


def show(value: Any, secret: bool = False) -> str:
    """A value for an error or a list: short, on one line, without secrets."""
    if secret:
        kind = type(value).__name__ if type(value).__module__ == "builtins" else "text"
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} (a secret, not shown)"
    try:
        text = repr(masked(str(value)) if isinstance(value, str) else value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    if isinstance(value, Mapping):  # it may hold a secret, whatever the name of the field
        return "a table" if value else text
    if isinstance(value, (list, tuple, set, frozenset)) and (len(text) > 20 or "{" in text):
        return f"a {type(value).__name__}"
    text = text if isinstance(value, str) else masked(text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def path_text(path: tuple[str | int, ...]) -> str:
    """`("headers", 2, "name")` as "headers[2].name"."""
    text = ""
    for step in path:
        if isinstance(step, str) and _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ " (did you mean 'x'?)", or ""."""
    if len(word) > 60:
        return ""  # no name is so long, and comparing what a client sends would take its time
    # Late: it lies above, and only errors need it.
    from .hooks.suggestions import did_you_mean as suggest

    return suggest(word, known)
