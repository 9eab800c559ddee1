"""QuartRule and QuartMap: werkzeug's, with websockets, notice of changes, and rules that may wait.

A plugin may bring a URL converter, and plugins are set up at the first need; so while `defer_unknown` is true
a rule with an unknown converter waits in `pending`, and with it every rule added after it, since the order of
rules decides between equals. Whoever reads the map while rules wait has them bound first: nothing is silently
missing.

Knows no app: what an app wants to hear or has to do is injected (`on_change`, `need_setup`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote
from weakref import WeakSet

from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule, RuleFactory
from werkzeug.routing.matcher import StateMachineMatcher

from .pattern import converter_names

if TYPE_CHECKING:
    from ..wrappers.base import BaseRequestWebsocket

_MATTERS = frozenset({"default_subdomain", "host_matching", "redirect_defaults"})
_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class QuartRule(Rule):
    """A URL rule for requests, or with `websocket=True` for websockets.

    provide_automatic_options  the framework answers OPTIONS for this rule itself.
    place                      where the rule comes from ("file:line", perhaps with the view), for
                               error messages; set by whoever registers it.
    plugin                     the name of the plugin that added the rule, or None.
    connection_options         what the kernel, and not werkzeug, does with a rule (`disconnect`, …).
    plugins_disabled           the plugins, or hooks of them, that are switched off for it; see scoping.py.
    converters                 the rule's converters by variable, once it is bound.
    """

    place: str | None = None
    plugin: str | None = None
    connection_options: Mapping[str, Any] = {}
    plugins_disabled: frozenset[str] = frozenset()

    def __init__(
        self,
        string: str,
        defaults: dict[str, Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        endpoint: str | None = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        host: str | None = None,
        websocket: bool = False,
        provide_automatic_options: bool = False,
    ) -> None:
        super().__init__(
            string,
            defaults=defaults,
            subdomain=subdomain,
            methods=methods,
            endpoint=endpoint,
            strict_slashes=strict_slashes,
            merge_slashes=merge_slashes,
            host=host,
            websocket=websocket,
        )
        self.provide_automatic_options = provide_automatic_options
        self.converters: dict[str, BaseConverter] = {}

    def compile(self) -> None:
        self.converters = {}
        super().compile()

    def get_converter(
        self, variable_name: str, converter_name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> BaseConverter:
        converter = super().get_converter(variable_name, converter_name, args, kwargs)
        self.converters[variable_name] = converter
        return converter

    def empty(self) -> Rule:
        copy = super().empty()
        if isinstance(copy, QuartRule):
            copy.place = self.place
            copy.plugin = self.plugin
            copy.connection_options = self.connection_options
            copy.plugins_disabled = self.plugins_disabled
        return copy

    def get_empty_kwargs(self) -> Mapping[str, Any]:
        return {
            "defaults": dict(self.defaults) if self.defaults else None,
            "subdomain": self.subdomain,
            "methods": self.methods,
            "endpoint": self.endpoint,
            "strict_slashes": self.strict_slashes,
            "merge_slashes": self.merge_slashes,
            "host": self.host,
            "websocket": self.websocket,
            "provide_automatic_options": self.provide_automatic_options,
        }


class Watcher(Protocol):
    def reset(self) -> None: ...


class QuartMap(Map):
    """The registration of all rules.

    on_change      called after every change that may change an answer: a rule, a converter, a setting.
    need_setup     called before the map is read while rules wait; it should lead to `bind_pending()`.
    defer_unknown  whether a rule with an unknown converter waits (see the module's text) or is refused at
                   once.
    pending        the rules that wait, in the order they were added.
    registered     the rules that are bound, in the order they were added.
    watchers       whose `reset()` is called before `on_change`: what is compiled from the map; held weakly.
    """

    on_change: Callable[[], None] | None = None
    need_setup: Callable[[], None] | None = None
    defer_unknown = False

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        self.pending: list[Rule] = []
        self.registered: list[Rule] = []
        self.watchers: WeakSet[Watcher] = WeakSet()
        super().__init__(
            rules,
            default_subdomain,
            strict_slashes,
            merge_slashes,
            redirect_defaults,
            converters,
            sort_parameters,
            sort_key,
            host_matching,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "converters":
            super().__setattr__(name, _Converters(value, self._changed))
            self._changed()
        else:
            super().__setattr__(name, value)
            if name in _MATTERS:
                self._changed()

    def _changed(self) -> None:
        for watcher in list(self.watchers):
            watcher.reset()
        if self.on_change is not None:
            self.on_change()

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, or the rules that a factory makes.

        Raises `LookupError` for an unknown converter, unless `defer_unknown` is true.
        """
        for rule in rulefactory.get_rules(self):
            if self.pending or (self.defer_unknown and self._unknown(rule) is not None):
                self.pending.append(rule)
            else:
                self._bind(rule)
        self._changed()

    def bind_pending(self) -> None:
        """Bind the rules that wait.

        Raises `LookupError` when a converter is still unknown; that rule and those after it go on waiting.
        """
        if not self.pending:
            return
        try:
            while self.pending:
                self._bind(self.pending[0])
                del self.pending[0]
        finally:
            self._changed()

    def remove(self, rules: Iterable[Rule]) -> None:
        """Remove these rules, bound or waiting; a connection that has matched one of them goes on with it."""
        gone = {id(rule) for rule in rules}
        self.pending = [rule for rule in self.pending if id(rule) not in gone]
        kept = [rule for rule in self.registered if id(rule) not in gone]
        if len(kept) < len(self.registered):
            matcher = StateMachineMatcher(self.merge_slashes)
            by_endpoint: dict[Any, list[Rule]] = {}
            for rule in kept:
                if not rule.build_only:
                    matcher.add(rule)
                by_endpoint.setdefault(rule.endpoint, []).append(rule)
            for rule in self.registered:
                if id(rule) in gone:
                    rule.map = None  # type: ignore[assignment]  # it may be added again
            self.registered = kept
            self._matcher, self._rules_by_endpoint, self._remap = matcher, by_endpoint, True
        self._changed()

    def all_rules(self) -> list[Rule]:
        """Every rule in the order of adding, be it bound or waiting; changes nothing."""
        return [*self.registered, *self.pending]

    def _bind(self, rule: Rule) -> None:
        name = self._unknown(rule)
        if name is not None:
            raise LookupError(self._unknown_message(rule, name))
        super().add(rule)
        self.registered.append(rule)

    def _unknown(self, rule: Rule) -> str | None:
        """The first converter of the rule that the map does not have; a rule that finds its own has none."""
        if type(rule).get_converter not in (Rule.get_converter, QuartRule.get_converter):
            return None
        for text in (rule.rule, rule.subdomain or "", rule.host or ""):
            for name in converter_names(text):
                if name not in self.converters:
                    return name
        return None

    def _unknown_message(self, rule: Rule, name: str) -> str:
        place = getattr(rule, "place", None)
        where = f" ({place})" if place else ""
        close = get_close_matches(name, self.converters, 1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        return (
            f"the rule {rule.rule!r}{where} uses the URL converter {name!r}, which does not exist{hint}"
            f" Known converters: {', '.join(sorted(self.converters))}. Add it with"
            f" app.url_map.converters[{name!r}] = ..., or enable the plugin that brings it."
        )

    def update(self) -> None:
        """Called by whatever reads the map; also sees to it that no rule waits any more."""
        if self.pending:
            if self.need_setup is not None:
                self.need_setup()
            if not self.defer_unknown:  # still true: set-up is under way, and more converters may come
                self.bind_pending()
        super().update()

    def bind_to_request(
        self, request: BaseRequestWebsocket, subdomain: str | None, server_name: str | None
    ) -> MapAdapter:
        """An adapter for a request or websocket.

        Without a `subdomain` it is what the request's host has before `server_name` (which is the request's
        host when None); a host that does not end with the server name matches no rule, and is warned of.
        """
        port = _PORTS.get(request.scheme, "")
        request_host = request.host.lower().removesuffix(port)
        host = request_host if server_name is None else server_name.lower().removesuffix(port)
        if subdomain is None and not self.host_matching:
            if request_host == host:
                subdomain = ""
            elif request_host.endswith(f".{host}"):
                subdomain = request_host.removesuffix(f".{host}")
            else:
                warnings.warn(
                    f"the request's host {request.host!r} does not belong to the configured server name"
                    f" {host!r}: no rule will match (see SERVER_NAME)",
                    stacklevel=2,
                )
                subdomain = "<invalid>"
        return super().bind(
            host,
            request.root_path,
            subdomain,
            request.scheme,
            request.method,
            request.path,
            _query_text(request.query_string),
        )


def _query_text(query: bytes) -> str:
    """A query string for the URL of a redirect; what a client did not encode is encoded there."""
    return query.decode("ascii") if query.isascii() else quote(query, safe=_ASCII)


_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class _Converters(dict[str, type[BaseConverter]]):
    """The converters by name; tells the map of each change, since a waiting rule may need the new one."""

    def __init__(self, converters: Mapping[str, type[BaseConverter]], changed: Callable[[], None]) -> None:
        super().__init__(converters)
        self._tell = changed

    def __setitem__(self, name: str, converter: type[BaseConverter]) -> None:
        super().__setitem__(name, converter)
        self._tell()

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._tell()

    def __ior__(self, other: Any) -> _Converters:  # type: ignore[override, misc]  # dict's has overloads
        self.update(other)
        return self

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._tell()

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, *args: Any) -> Any:
        value = super().pop(*args)
        self._tell()
        return value

    def popitem(self) -> tuple[str, type[BaseConverter]]:
        item = super().popitem()
        self._tell()
        return item

    def clear(self) -> None:
        super().clear()
        self._tell()


def slow_match(
    adapter: MapAdapter, path: str | None = None, method: str | None = None, websocket: bool | None = None
) -> tuple[Rule, dict[str, Any]]:
    """The rule and the view's arguments, from werkzeug's map; what is None is the adapter's own.

    Raises what werkzeug raises: `NotFound`, `MethodNotAllowed`, `RequestRedirect`, `WebsocketMismatch`. A
    `ValueError` from a converter (a number of more digits than Python reads, say) means that the address does
    not exist.
    """
    try:
        rule, arguments = adapter.match(path, method, return_rule=True, websocket=websocket)
    except ValueError as error:
        raise NotFound() from error
    return rule, dict(arguments)
