"""What a row of the table is, and how the rows of a group are tried on one server, all at the same time.

A row observes: its function drives a client and returns what it saw. `holds` is what must be seen where the statement
holds. Where it does not hold, `otherwise` says what is seen instead, in a value for the test and in words for the
page; so neither can differ from the server. A launch is named as in `Launch.name`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.browser.cdp import Page
from tests.support import clients
from tests.wire import raw
from tests.wire.launching import SHORT, Launch, Started

LIMIT = 40.0  # seconds for a row


@dataclass(frozen=True)
class Group:
    """Rows that share a server's process, and with it its settings.

    settings  the application's.
    options   of a server's own command, where the rows are about them.
    alone     whether one row runs after the other, since they look at the whole process.
    app       the application.
    browser   whether the rows need Chromium.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alone: bool = False
    app: str = "tests.wire.app:app"
    browser: bool = False


PLAIN = Group("plain")
LIMITS = Group("limits", SHORT)
QUIET = Group(
    "quiet",
    {"WEBSOCKET_PING_INTERVAL": 0.2, "WEBSOCKET_PING_TIMEOUT": 0.2, "WEBSOCKET_IDLE_TIMEOUT": 2.0},
    {"uvicorn-own": ("--ws-ping-interval", "0.2", "--ws-ping-timeout", "0.2")},
)
MEMORY = Group("memory", alone=True)
# hypercorn's own command waits for open websockets as long as that, 3 seconds by default
_SOON = {"hypercorn-own": ("--graceful-timeout", "1")}
DRAINED = Group("drained", {"SHUTDOWN_TIMEOUT": 20.0}, _SOON)
HANGING = Group(
    "hanging",
    {"SHUTDOWN_TIMEOUT": 0.5},
    {
        **_SOON,
        "uvicorn-own": ("--timeout-graceful-shutdown", "1"),
        "granian-own": ("--workers-kill-timeout", "1"),
    },
)
HURRIED = Group("hurried", {"SHUTDOWN_TIMEOUT": 60.0})
PROXIED = Group("proxied", {"TRUSTED_PROXIES": ["127.0.0.1"]})
BROWSER = Group("browser", options=_SOON, alone=True, browser=True)
EXAMPLES = Group("examples", app="tests.wire.examples:app", browser=True)

# What one test tries, at the same time: groups that wait most of the time are put together.
STAGES = [[PLAIN], [LIMITS, QUIET, HANGING, HURRIED, PROXIED], [DRAINED], [MEMORY], [BROWSER], [EXAMPLES]]
GROUPS = [group for stage in STAGES for group in stage]


@dataclass(frozen=True)
class Instead:
    """What holds on a launch on which the statement of a row does not: as observed, and in words."""

    observed: Any
    words: str


class OneOf:
    """An observation that is not the same each time."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return other in self.values

    def __hash__(self) -> int:
        return hash(repr(self.values))

    def __repr__(self) -> str:
        return " or ".join(map(repr, self.values))


@dataclass(frozen=True)
class Row:
    name: str
    statement: str
    group: Group
    holds: Any
    otherwise: Mapping[str, Instead]
    observe: Callable[[Wire], Awaitable[Any]]
    own: bool = True  # False: what the servers' own commands do is their affair, and not tried

    @property
    def section(self) -> str:
        """The module that it is in, in words."""
        return self.observe.__module__.rpartition("rows_")[2].capitalize()

    def expected(self, launch: Launch) -> Any:
        instead = self.otherwise.get(launch.name)
        return self.holds if instead is None else instead.observed

    def cell(self, launch: Launch) -> str:
        instead = self.otherwise.get(launch.name)
        if launch.own and not self.own:
            return "–"
        return "yes" if instead is None else instead.words


ROWS: dict[str, Row] = {}


def rows_of(group: Group, launch: Launch) -> list[Row]:
    return [row for row in ROWS.values() if row.group == group and (row.own or not launch.own)]


def row(
    statement: str,
    *,
    holds: Any,
    group: Group = PLAIN,
    otherwise: Mapping[str, Instead] | None = None,
    own: bool = True,
) -> Callable[[Callable[[Wire], Awaitable[Any]]], Callable[[Wire], Awaitable[Any]]]:
    """Make a function a row of the table, under its own name."""

    def enter(observe: Callable[[Wire], Awaitable[Any]]) -> Callable[[Wire], Awaitable[Any]]:
        name = observe.__name__
        assert name not in ROWS, f"two rows are called {name}"
        ROWS[name] = Row(name, statement, group, holds, otherwise or {}, observe, own)
        return observe

    return enter


class Wire:
    """A server that runs, and the ways to it."""

    def __init__(self, server: Started, page: Page | None = None) -> None:
        self.server = server
        self._page = page
        self._numbers = itertools.count(1)
        self._shared: dict[object, asyncio.Task[Any]] = {}

    async def once(self, observe: Callable[[Wire], Coroutine[Any, Any, Any]]) -> Any:
        """What several rows look at, and only one of them can do."""
        if observe not in self._shared:
            self._shared[observe] = asyncio.ensure_future(observe(self))
        return await asyncio.shield(self._shared[observe])

    def key(self) -> str:
        """A name for one connection."""
        return f"c{next(self._numbers)}"

    def client(self, path: str, **options: Any) -> clients.connect:
        """A client of the library `websockets`."""
        return self.client_at(self.server.ws(path), **options)

    def client_at(self, url: str, **options: Any) -> clients.connect:
        """One that goes to another address, from which the server is reached."""
        return clients.client(url, **{"max_size": None, "ping_interval": None, **options})

    @property
    def page(self) -> Page:
        """A page of the application's in Chromium."""
        assert self._page is not None, "the row's group does not say that it needs a browser"
        return self._page

    def raw(
        self, path: str, headers: dict[str, str] | None = None, receive_buffer: int | None = None
    ) -> AbstractAsyncContextManager[raw.Raw]:
        return raw.raw(self.server.port, path, headers, receive_buffer)

    def tcp(self) -> AbstractAsyncContextManager[raw.Raw]:
        return raw.connected(self.server.port)

    async def refusal(self, path: str, headers: dict[str, str] | None = None) -> raw.Answer:
        """The HTTP answer to a handshake."""
        async with self.tcp() as client:
            client.write(raw.handshake(path, f"127.0.0.1:{self.server.port}", headers))
            return await client.answer()

    async def get(self, path: str, headers: str = "") -> raw.Answer:
        async with self.tcp() as client:
            client.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n".encode())
            return await client.answer()

    async def get_json(self, path: str) -> Any:
        answer = await self.get(path)
        assert answer.status == 200, f"{path}: {answer}"
        return json.loads(answer.body)

    async def ended(self, key: str) -> Any:
        """How the view of that connection ended, as it recorded it."""
        return (await self.get_json(f"/ended/{key}"))["ended"]

    async def go(self, key: str) -> None:
        """Let that connection's view go on."""
        assert (await self.get(f"/go/{key}")).status == 200


async def all_tried(rows: list[Row], wire: Wire) -> list[Exception]:
    """The errors of the rows of one group."""
    if rows and rows[0].group.alone:
        found = [await tried(row, wire) for row in rows]
    else:
        found = list(await asyncio.gather(*(tried(row, wire) for row in rows)))
    return [error for error in found if error is not None]


async def tried(row: Row, wire: Wire) -> Exception | None:
    """The error of a row that is not as the table has it."""
    launch = wire.server.launch
    where = f"{row.name} on {launch.command}: {row.statement}"
    try:
        async with asyncio.timeout(LIMIT):
            observed = await row.observe(wire)
    except Exception as error:
        error.add_note(where)
        return error
    expected = row.expected(launch)
    if observed == expected:
        return None
    return AssertionError(f"{where}\n" + "\n".join(differences(expected, observed)))


def differences(expected: Any, observed: Any, at: str = "") -> list[str]:
    """Where two values differ, part by part where they are of one form."""
    if isinstance(expected, dict) and isinstance(observed, dict) and expected.keys() == observed.keys():
        return [line for key in expected for line in differences(expected[key], observed[key], f"{at}[{key!r}]")]
    if expected == observed:
        return []
    return [f"{at} expected {expected!r}", f"{at} observed {observed!r}"]
