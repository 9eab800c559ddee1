"""A rule's text -> the steps that a path takes through it, one for each part between slashes.

The grammar and the order in which steps are tried are werkzeug's
(https://werkzeug.palletsprojects.com/routing/): a static part first, then the dynamic ones by weight, where
parts with more static text come first. A step that is exactly one converter is *simple*; others are kept with
their weight and pattern, so that the router knows when a path could concern them, and leaves that path to
werkzeug.

Rules: no map, no matching here. What cannot be understood is `None`, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from werkzeug.routing import BaseConverter, PathConverter

Test = Callable[[str], Any]
Weight = tuple[int, tuple[tuple[int, int], ...], int, tuple[float, ...]]

_TOKEN = re.compile(
    r"(?P<slash>/)"
    r"|<(?:(?P<converter>[a-z_]\w*)(?:\(.*?\))?:)?(?P<variable>[a-z_]\w*)>"
    r"|(?P<text>[^</]+)",
    re.ASCII | re.IGNORECASE,
)
_SLASHES = re.compile(r"/{2,}")

FIRST: Weight = (-1_000_000, (), 0, ())  # before every weight that a rule can have


class Token(NamedTuple):
    """Exactly one of `text` and `variable` is set, or neither for a slash."""

    text: str | None = None
    variable: str | None = None
    converter: str | None = None


class Static(NamedTuple):
    """A part without converters; "" stands for the end of a rule that ends with a slash."""

    text: str


class Dynamic(NamedTuple):
    """A part with converters.

    pattern  the regular expression for the part (for all that is left of the path when `final`), if known.
    weight   steps from one place are tried by weight, then in the order of registration.
    final    takes all that is left of the path, slashes too.
    simple   one converter and nothing else, so that the value is the part itself.
    """

    pattern: str | None
    weight: Weight
    final: bool
    simple: bool
    variable: str | None


Step = Static | Dynamic


def tokens(rule: str) -> Iterator[Token]:
    """The pieces of a rule's text; ends early where the text is malformed (werkzeug refuses such a rule)."""
    position = 0
    while position < len(rule):
        found = _TOKEN.match(rule, position)
        if found is None:
            return
        position = found.end()
        yield Token(found["text"], found["variable"], found["converter"])


def converter_names(rule: str) -> list[str]:
    """The names of the converters that a rule's text uses, in order; a bare `<name>` uses "default"."""
    return [token.converter or "default" for token in tokens(rule) if token.variable is not None]


def steps(
    rule: str, merge_slashes: bool | None, converters: Mapping[str, BaseConverter] | None
) -> list[Step]:
    """The steps of a rule, from the part after its first slash on.

    `converters` are the rule's own by variable; None when they are not known: then the steps end at the first
    dynamic part, with one that is tried first and matches everything.
    """
    if merge_slashes:
        rule = _SLASHES.sub("/", rule)
    found: list[Step] = []
    pieces = list(tokens(rule))[1:]  # a rule starts with a slash
    variables = [token.variable for token in pieces if token.variable is not None]
    if len(variables) != len(set(variables)):
        converters = None
    part: list[Token] = []
    swallowed = False  # a converter that takes slashes makes one part of all that follows
    for token in pieces:
        is_slash = token.text is None and token.variable is None
        if not is_slash or swallowed:
            part.append(token)
        else:
            found.append(_step(part, converters, False))
            part = []
        if token.variable is not None:
            if converters is None or token.variable not in converters:
                found.append(Dynamic(None, FIRST, False, False, None))
                return found
            swallowed = swallowed or not converters[token.variable].part_isolating
    found.append(_step(part, converters, swallowed))
    return found


def _step(part: list[Token], converters: Mapping[str, BaseConverter] | None, final: bool) -> Step:
    used = [converters[token.variable] for token in part if converters and token.variable is not None]
    texts = [token.text for token in part if token.text is not None]
    if not used:
        return Static("".join(texts))
    weight: Weight = (
        -len(texts),
        tuple((index, -len(text)) for index, text in enumerate(texts)),
        -len(used),
        tuple(converter.weight for converter in used),
    )
    pattern: str | None = ""
    values = iter(used)
    for number, token in enumerate(part):
        if token.variable is not None:
            pattern = f"{pattern}(?P<value_{number}>{next(values).regex})"
        else:
            pattern = f"{pattern}{'/' if token.text is None else re.escape(token.text)}"
    if final and part[-1] == Token():
        pattern = None  # ends with a slash after a converter that takes slashes itself
    simple = len(part) == 1
    return Dynamic(pattern, weight, final, simple, part[0].variable if simple else None)


def test_for(pattern: str | None) -> Test | None:
    """A function that says (by truth) whether a text fits a step's pattern whole.

    None stands for "any text that is not empty", which is the test of the default converter. A pattern that
    is not known, or not a regular expression, fits everything.
    """
    if pattern is None:
        return _everything
    inner = pattern.removeprefix("(?P<value_0>").removesuffix(")")
    if pattern == f"(?P<value_0>{inner})":
        if inner in ("[^/]+", "[^/]{1,}"):
            return None
        if inner == r"\d+":
            return str.isdecimal  # the same characters: Unicode's category Nd
        if inner == PathConverter.regex:
            return re.compile(r"[^/].*\Z").match  # the same texts, without a lazy search
    try:
        return re.compile(rf"{pattern}\Z").match
    except re.error:
        return _everything


def _everything(text: str) -> bool:
    return True
