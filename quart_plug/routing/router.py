"""The hit path: the steps of all rules -> dictionaries and a trie; a walk that finds what the map would find.

Two rules hold everywhere in this file:

- An answer is exactly the map's answer; where that is not certain the answer is None, and the map is asked.
  So redirects, 404, 405, parts such as `<name>.<type>`, optional slashes and hosts are all left to the map.
- What can be known when the rules are known is not computed for a path.

The map's order, which the walk keeps: a static step before dynamic ones, those by weight, then by
registration, with backtracking; in one place the first rule that fits method and kind. Values are converted
only when the rule is found, and a converter that refuses its value then means 404, not "try the next rule".

Knows no app and no context; answers for the map's default subdomain (an app that matches hosts or subdomains
must ask the map).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from werkzeug.routing import BaseConverter, IntegerConverter, Rule

from .map import QuartMap
from .pattern import Dynamic, Static, Test, Weight, steps, test_for

Convert = Callable[[str], Any]
Methods = dict[str | None, "Answer | None"]
Exact = dict[str, dict[str, Rule]]


class Answer:
    """A rule that was found, and what makes its arguments of the texts on the way."""

    __slots__ = ("arguments", "defaults", "rule")

    def __init__(self, rule: Rule, variables: Sequence[str], converters: Mapping[str, BaseConverter]) -> None:
        self.rule = rule
        conversions = [_conversion(converters[name]) for name in variables]
        used = [convert for convert in conversions if convert is not None]
        make = _arguments_maker(tuple(convert is not None for convert in conversions))
        self.arguments: Callable[[list[str]], dict[str, Any]] = make(*variables, *used)
        self.defaults: Mapping[str, Any] | None = rule.defaults or None


class Edge:
    """A dynamic step; `child` is None when a path that fits is left to the map."""

    __slots__ = ("child", "final", "key", "test", "weight")

    def __init__(self, step: Dynamic) -> None:
        self.key = (step.pattern, step.weight, step.final)
        self.weight: Weight = step.weight
        self.test: Test | None = test_for(step.pattern)
        self.final = step.final
        self.child: Node | None = None


class Node:
    """A place in the trie.

    static    the child by the next part's text.
    edges     the dynamic steps in their order.
    quick     those before the first that takes slashes or is left to the map, as (test, child);
    tail      that one, if it takes slashes.
    requests  the answer by method for requests, websockets likewise; None as a value leaves it to the map,
              None as a key is for every other method.
    has_rules whether any rule ends here; loose: one of them also matches with a slash more.
    depth     how many parts of the path lie before this place.
    """

    __slots__ = ("depth", "edges", "has_rules", "loose", "quick", "requests", "static", "tail", "websockets")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.static: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.quick: tuple[tuple[Test | None, Node], ...] = ()
        self.tail: tuple[Test | None, Node] | None = None
        self.requests: Methods = {}
        self.websockets: Methods = {}
        self.has_rules = False
        self.loose = False

    def edge(self, step: Dynamic) -> Edge:
        """The edge for a step; rules with equal steps share it, and with it their place in the order."""
        wanted = Edge(step)
        for edge in self.edges:
            if edge.key == wanted.key:
                return edge
        self.edges.append(wanted)
        return wanted


class _Declined(Exception):
    """The path is left to the map."""


class Router:
    """The hit path over a map; compiled at its first use after a change of the map.

    It watches the map, so a change needs no call. `is_missing` tells the misses that need no map either.
    """

    def __init__(self, map: QuartMap) -> None:
        self.map = map
        self.reset()
        map.watchers.add(self)

    def reset(self) -> None:
        """Forget what was compiled."""
        self._requests: Exact = {}
        self._websockets: Exact = {}
        self._root: Node | None = None
        self._complete = False

    def match(self, kind_name: str, method: str, path: str) -> tuple[Rule, dict[str, Any]] | None:
        """The rule for a path and the view's arguments (a new dict), or None: ask the map.

        kind_name  "request" or "websocket".
        method     in upper case.
        path       decoded, from its first slash on, without the root path.
        """
        methods = (self._requests if kind_name == "request" else self._websockets).get(path)
        if methods is not None:
            rule = methods.get(method)
            if rule is not None:
                return rule, {}
        node = self._root
        if node is None:
            self._compile()
            return self.match(kind_name, method, path)
        parts = path.split("/")
        if parts.pop(0) or not parts or (not parts[0] and len(parts) > 1):
            return None  # the map strips slashes at the start, and adds a missing one
        # The first way that the full search would try: an answer on it is the full search's answer.
        values = []
        for part in parts:
            child = node.static.get(part)
            if child is not None:
                node = child
                continue
            for test, child in node.quick:
                if part if test is None else test(part):
                    values.append(part)
                    node = child
                    break
            else:
                if node.tail is None:
                    return self._match_fully(kind_name, method, parts)
                rest = "/".join(parts[node.depth :])
                test, child = node.tail
                if not (rest if test is None else test(rest)):
                    return self._match_fully(kind_name, method, parts)
                values.append(rest)
                node = child
                break
        answer = (node.requests if kind_name == "request" else node.websockets).get(method)
        if answer is None:
            return self._match_fully(kind_name, method, parts)
        try:
            arguments = answer.arguments(values)
        except Exception:  # the map calls the converter again, where its errors belong
            return None
        if answer.defaults is not None:
            arguments.update(answer.defaults)
        return answer.rule, arguments

    def is_missing(self, path: str) -> bool:
        """Whether it is certain that the map has nothing for this path: no kind, no method, no redirect."""
        root = self._root or self._compile()
        parts = path.split("/")
        if not self._complete or "//" in path or parts.pop(0) or not parts:
            return False
        return not _concerns(root, parts)

    def _match_fully(
        self, kind_name: str, method: str, parts: list[str]
    ) -> tuple[Rule, dict[str, Any]] | None:
        """As `match`, with backtracking."""
        values: list[str] = []
        if self._root is None or not method.isupper():
            return None
        try:
            answer = _search(self._root, parts, 0, values, kind_name == "request", method)
            if answer is None:
                return None
            arguments = answer.arguments(values)
        except Exception:  # _Declined, or a converter's: see `match`
            return None
        if answer.defaults is not None:
            arguments.update(answer.defaults)
        return answer.rule, arguments

    def _compile(self) -> Node:
        self.map.update()
        root = Node(0)
        subdomain = self.map.default_subdomain
        # With host matching nothing is known without the host; an odd default subdomain is for the map.
        usable = not (self.map.host_matching or "<" in subdomain or "/" in subdomain)
        rules = [rule for rule in self.map.registered if not rule.build_only]
        ours = [rule for rule in rules if usable and (rule.subdomain or "") == subdomain]
        defaulting = _defaulting_rules(self.map)
        requests: Exact = {}
        websockets: Exact = {}
        for rule in ours:
            self._insert(root, rule, websockets if rule.websocket else requests, defaulting)
        _finish(root)
        self._complete = len(ours) == len(rules)
        self._requests, self._websockets, self._root = requests, websockets, root
        return root

    def _insert(self, root: Node, rule: Rule, exact: Exact, defaulting: Mapping[Any, list[Rule]]) -> None:
        converters: Mapping[str, BaseConverter] | None = getattr(rule, "converters", None)
        node = root
        texts = [""]
        variables: list[str] = []
        for step in steps(rule.rule, rule.merge_slashes, converters):
            if isinstance(step, Static):
                texts.append(step.text)
                node = node.static.setdefault(step.text, Node(node.depth + 1))
                continue
            edge = node.edge(step)
            if not step.simple or step.variable is None:
                return
            if edge.child is None:
                edge.child = Node(node.depth + 1)
            node = edge.child
            variables.append(step.variable)
        node.has_rules = True
        node.loose = node.loose or not rule.strict_slashes
        answer = self._answer(rule, variables, converters or {}, defaulting)
        table = node.websockets if rule.websocket else node.requests
        for method in (None,) if rule.methods is None else rule.methods:
            if None in table or method in table:
                continue  # an earlier rule answers
            table[method] = answer
            path = "/".join(texts)
            if answer and method and not variables and not answer.defaults and not path.startswith("//"):
                exact.setdefault(path, {})[method] = rule

    def _answer(
        self,
        rule: Rule,
        variables: list[str],
        converters: Mapping[str, BaseConverter],
        defaulting: Mapping[Any, list[Rule]],
    ) -> Answer | None:
        if rule.redirect_to is not None or (rule.alias and self.map.redirect_defaults):
            return None
        if any(other.provides_defaults_for(rule) for other in defaulting.get(rule.endpoint, ())):
            return None
        return Answer(rule, variables, converters)


def _conversion(converter: BaseConverter) -> Convert | None:
    """What turns the text into the value; None for "nothing does"."""
    if type(converter).to_python is BaseConverter.to_python and "to_python" not in vars(converter):
        return None
    if isinstance(converter, IntegerConverter):
        own = type(converter) is not IntegerConverter or "to_python" in vars(converter)
        if not own and (converter.fixed_digits, converter.min, converter.max) == (0, None, None):
            return int
    return converter.to_python


@cache
def _arguments_maker(converted: tuple[bool, ...]) -> Callable[..., Callable[[list[str]], dict[str, Any]]]:
    """(names, conversions) -> a function from the texts to the arguments, by which of them are converted.

    Made from source, since a dictionary display is less than half the cost of any loop; the source holds
    nothing but numbers.
    """
    names = [f"n{index}" for index in range(len(converted))]
    converts = [f"c{index}" for index, used in enumerate(converted) if used]
    items = [
        f"n{index}: c{index}(v[{index}])" if used else f"n{index}: v[{index}]"
        for index, used in enumerate(converted)
    ]
    source = f"lambda {', '.join(names + converts)}: lambda v: {{{', '.join(items)}}}"
    maker: Callable[..., Callable[[list[str]], dict[str, Any]]] = eval(source, {"__builtins__": {}})
    return maker


def _defaulting_rules(map: QuartMap) -> dict[Any, list[Rule]]:
    """The rules with defaults by endpoint: the map may redirect to them from others of the endpoint."""
    found: dict[Any, list[Rule]] = {}
    if map.redirect_defaults:
        for rule in map.registered:
            if rule.defaults:
                found.setdefault(rule.endpoint, []).append(rule)
    return found


def _finish(root: Node) -> None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.edges.sort(key=lambda edge: edge.weight)
        quick = []
        for edge in node.edges:
            if edge.child is None:
                break
            if edge.final:
                node.tail = (edge.test, edge.child)
                break
            quick.append((edge.test, edge.child))
        node.quick = tuple(quick)
        waiting.extend(node.static.values())
        waiting.extend(edge.child for edge in node.edges if edge.child is not None)


def _search(
    node: Node, parts: list[str], index: int, values: list[str], requests: bool, method: str
) -> Answer | None:
    """The answer for `parts[index:]` from a node on; None: try the next way. Raises _Declined."""
    if index == len(parts):
        table = node.requests if requests else node.websockets
        key = method if method in table else None
        if key in table:
            answer = table[key]
            if answer is None:
                raise _Declined
            return answer
        slash = node.static.get("")
        if slash is not None:
            table = slash.requests if requests else slash.websockets
            if method in table or None in table:
                raise _Declined  # a redirect, or an optional slash
        return None
    part = parts[index]
    child = node.static.get(part)
    if child is not None:
        answer = _search(child, parts, index + 1, values, requests, method)
        if answer is not None:
            return answer
    for edge in node.edges:
        text, following = ("/".join(parts[index:]), len(parts)) if edge.final else (part, index + 1)
        if text if edge.test is None else edge.test(text):
            if edge.child is None:
                raise _Declined
            values.append(text)
            answer = _search(edge.child, parts, following, values, requests, method)
            if answer is not None:
                return answer
            values.pop()
    if node.loose and not part and index + 1 == len(parts):
        raise _Declined  # an optional slash
    return None


def _concerns(node: Node, parts: list[str], index: int = 0) -> bool:
    """Whether any rule, of any kind and method, could have to do with `parts[index:]` from a node on."""
    if index == len(parts):
        slash = node.static.get("")
        return node.has_rules or (slash is not None and slash.has_rules)
    part = parts[index]
    child = node.static.get(part)
    if child is not None and _concerns(child, parts, index + 1):
        return True
    for edge in node.edges:
        text, following = ("/".join(parts[index:]), len(parts)) if edge.final else (part, index + 1)
        fits = text if edge.test is None else edge.test(text)
        if fits and (edge.child is None or _concerns(edge.child, parts, following)):
            return True
    return node.loose and not part and index + 1 == len(parts)
