"""`Quart.run` and `run_task`: which server, which address, whose signals, and how errors end the program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest

from quart_plug import Quart
from quart_plug.exceptions import PluginLoadError, PluginNotEnabled, PluginNotFound
from quart_plug.hooks import hookimpl
from quart_plug.hooks.discovery import Record, discover
from quart_plug.running import ApplicationStartError, ServerStartError, StopSignals, choose_server


class FakeServer:
    """Keeps what it was asked to serve; then waits for the stop, or raises."""

    def __init__(self, name: str = "fake", error: Exception | None = None) -> None:
        self.name = name
        self.error = error
        self.asked: dict[str, Any] = {}
        self.loop_debug: bool | None = None
        self.signal_now: int | None = None

    async def serve(self, app: Quart, *, shutdown_trigger: Any = None, **options: Any) -> None:
        self.asked = options
        self.loop_debug = asyncio.get_running_loop().get_debug()
        if self.error is not None:
            raise self.error
        if self.signal_now is not None:
            signal.raise_signal(self.signal_now)
            await asyncio.wait_for(shutdown_trigger(), 10)


def served_by(*servers: FakeServer, **config: Any) -> Quart:
    class Plugin:
        @hookimpl
        def server(self, app: Quart, name: str | None) -> FakeServer | None:
            return next((server for server in servers if name in (None, server.name)), None)

    app = Quart("shop", plugins=[Plugin()])
    app.config["PLUGINS_DISABLED"] = ["hypercorn"]
    app.config.update(config)
    return app


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("QUART")]:
        monkeypatch.delenv(name)


def test_the_default_server_is_hypercorn() -> None:
    assert choose_server(Quart("shop")).name == "hypercorn"


def test_a_server_is_chosen_by_name() -> None:
    first, second = FakeServer("first"), FakeServer("second")
    app = served_by(first, second)
    assert choose_server(app) is first
    assert choose_server(app, "second") is second
    with pytest.raises(PluginNotFound, match=r"no enabled plugin has a server named 'third'"):
        choose_server(app, "third")


def installed(monkeypatch: pytest.MonkeyPatch, module: ModuleType, **config: Any) -> Quart:
    """An app in an environment with a plugin `rocket` that no setting turns on."""
    monkeypatch.setitem(sys.modules, module.__name__, module)
    record = Record(name="rocket", distribution="rocket", version="1", value=module.__name__)
    found = discover()
    monkeypatch.setattr("quart_plug.hooks.discovery.discover", lambda: found._replace(records=(*found.records, record)))
    app = Quart("shop")
    app.config.update(config)
    return app


@pytest.fixture
def rocket() -> ModuleType:
    module = ModuleType("rocket_plugin")
    rocket = FakeServer("rocket")
    module.server = hookimpl(lambda app, name: rocket if name == "rocket" else None)  # type: ignore[attr-defined]
    return module


def test_a_named_server_turns_its_plugin_on(monkeypatch: pytest.MonkeyPatch, rocket: ModuleType) -> None:
    app = installed(monkeypatch, rocket)
    assert choose_server(app).name == "hypercorn"
    assert not app.hooks.is_active("rocket")
    assert choose_server(app, "rocket").name == "rocket"
    assert app.hooks.origin("rocket").label == "rocket (rocket 1)"
    assert choose_server(app, "rocket").name == "rocket"  # a second time it is there


def test_a_named_server_stays_off_where_a_setting_says_so(monkeypatch: pytest.MonkeyPatch, rocket: ModuleType) -> None:
    app = installed(monkeypatch, rocket, PLUGINS_DISABLED=["rocket"])
    with pytest.raises(PluginNotFound, match=r"'rocket' is off \(disabled by PLUGINS_DISABLED"):
        choose_server(app, "rocket")


def test_a_named_server_that_cannot_be_imported_is_said(monkeypatch: pytest.MonkeyPatch, rocket: ModuleType) -> None:
    app = installed(monkeypatch, rocket)
    monkeypatch.setitem(sys.modules, "rocket_plugin", None)
    with pytest.raises(PluginLoadError, match="rocket"):
        choose_server(app, "rocket")


def test_without_any_server_the_plugin_is_named() -> None:
    app = Quart("shop")
    app.config["PLUGINS_DISABLED"] = ["hypercorn"]
    with pytest.raises(PluginNotEnabled, match="'hypercorn'"):
        choose_server(app)


@pytest.mark.parametrize(
    ("server_name", "arguments", "address"),
    [
        (None, {}, ("127.0.0.1", 5000)),
        ("example.com", {}, ("example.com", 5000)),
        ("example.com:8000", {}, ("example.com", 8000)),
        ("example.com:8000", {"host": "0.0.0.0", "port": 9000}, ("0.0.0.0", 9000)),
        ("example.com:8000", {"port": 0}, ("example.com", 0)),
    ],
)
def test_the_address(server_name: str | None, arguments: dict[str, Any], address: tuple[str, int]) -> None:
    server = FakeServer()
    served_by(server, SERVER_NAME=server_name).run(use_reloader=False, **arguments)
    assert (server.asked["host"], server.asked["port"]) == address


@pytest.mark.parametrize(
    ("environment", "argument", "result"),
    [
        ({}, None, False),
        ({}, True, True),
        ({"QUART_DEBUG": "1"}, None, True),
        ({"QUART_DEBUG": "1"}, False, False),
        ({"QUART_PLUG_DEBUG": "0", "QUART_DEBUG": "1"}, None, False),
    ],
)
def test_debug_mode(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], argument: bool | None, result: bool
) -> None:
    server = FakeServer()
    app = served_by(server)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app.run(debug=argument, use_reloader=False)
    assert (app.debug, server.asked["debug"], server.loop_debug) == (result, result, result)


def test_files_and_options_are_passed_on() -> None:
    server = FakeServer()
    served_by(server).run(
        use_reloader=False, certfile="c", keyfile="k", ca_certs="a", server="fake", server_options={"x": 1}
    )
    assert {name: server.asked[name] for name in ("certfile", "keyfile", "ca_certs", "x")} == {
        "certfile": "c",
        "keyfile": "k",
        "ca_certs": "a",
        "x": 1,
    }


def test_an_unknown_argument_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="'colour'"):
        served_by(FakeServer()).run(use_reloader=False, colour="red")


def test_a_given_loop_is_used_and_left_open() -> None:
    server = FakeServer()
    loop = asyncio.new_event_loop()
    try:
        served_by(server).run(use_reloader=False, loop=loop)
        assert not loop.is_closed()
        assert server.asked["port"] == 5000
    finally:
        loop.close()


@pytest.mark.parametrize(
    "error",
    [ServerStartError("port 1 is taken"), ApplicationStartError("no database")],
    ids=["server", "app"],
)
def test_what_cannot_start_is_one_line_and_status_1(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        served_by(FakeServer(error=error)).run(use_reloader=False)
    assert end.value.code == 1
    assert capsys.readouterr().err == f"Error: {error}\n"


def test_an_error_of_ours_or_the_apps_is_not_hidden() -> None:
    with pytest.raises(LookupError, match="a defect"):
        served_by(FakeServer(error=LookupError("a defect"))).run(use_reloader=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_finish(number: int) -> None:
    """And afterwards the signals are whose they were."""
    before = signal.getsignal(number)
    server = FakeServer()
    server.signal_now = number
    served_by(server).run(use_reloader=False)
    assert signal.getsignal(number) is before


async def test_run_task_without_a_trigger_listens_to_signals_itself() -> None:
    server = FakeServer()
    server.signal_now = signal.SIGTERM
    await served_by(server).run_task()


@pytest.mark.parametrize(
    "run",
    [lambda app, port: app.run(port=port, use_reloader=False), lambda app, port: asyncio.run(app.run_task(port=port))],
)
def test_a_port_may_be_text(run: Any) -> None:
    """As it comes from the environment."""
    server = FakeServer()
    server.signal_now = signal.SIGTERM
    run(served_by(server), "8080")
    assert server.asked["port"] == 8080


async def test_a_port_that_is_no_number_is_said() -> None:
    with pytest.raises(ServerStartError, match="the port 'http' is no number"):
        await served_by(FakeServer()).run_task(port="http")  # type: ignore[arg-type]


async def test_run_task_with_a_trigger_leaves_signals_alone() -> None:
    class Watching(FakeServer):
        async def serve(self, app: Quart, *, shutdown_trigger: Any = None, **options: Any) -> None:
            await shutdown_trigger()
            self.asked = {"handler": signal.getsignal(signal.SIGTERM)}

    triggered = []

    async def trigger() -> None:
        triggered.append(True)

    server, before = Watching(), signal.getsignal(signal.SIGTERM)
    await served_by(server).run_task(shutdown_trigger=trigger)
    assert (server.asked, triggered) == ({"handler": before}, [True])


async def test_run_task_takes_a_server_and_its_options() -> None:
    async def trigger() -> None:
        pass

    default, chosen = FakeServer(), FakeServer("chosen")
    app = served_by(default, chosen)
    await app.run_task(shutdown_trigger=trigger, server="chosen", server_options={"limit_connections": 7})
    assert (default.asked, chosen.asked["limit_connections"]) == ({}, 7)


async def test_a_second_signal_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[tuple[Any, ...]] = []

    class Timer:
        daemon = False

        def __init__(self, *arguments: Any) -> None:
            self.arguments = arguments

        def start(self) -> None:
            timers.append(self.arguments)

    monkeypatch.setattr("quart_plug.running.threading.Timer", Timer)
    waiting = asyncio.ensure_future(asyncio.sleep(3600))
    with StopSignals(asyncio.get_running_loop()) as signals:
        signals.task = waiting
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(signals.requested.wait(), 10)
        assert not waiting.done()
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait((waiting,), timeout=10)
    assert waiting.cancelled()
    assert signals.forced == signal.SIGINT
    assert timers == [(1.0, os._exit, (128 + signal.SIGINT,))]


def test_in_another_thread_there_are_neither_signals_nor_a_reloader() -> None:
    server = FakeServer()
    app = served_by(server)
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=app.run)
    thread.start()
    thread.join(10)
    assert server.asked["port"] == 5000
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_the_debug_plugin_the_app_runs_without_a_reloader() -> None:
    server = FakeServer()
    served_by(server, PLUGINS_DISABLED=["hypercorn", "debug"]).run()
    assert server.asked["port"] == 5000


def test_an_overridden_run_task_is_called() -> None:
    called: list[dict[str, Any]] = []

    class Shop(Quart):
        async def run_task(self, *args: Any, **options: Any) -> None:  # type: ignore[override]
            called.append(options)

    Shop("shop").run(use_reloader=False, port=1)
    assert called[0]["port"] == 1


def test_workers_are_supervised_with_the_options_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Supervisor:
        def __init__(self, count: int, options: Any, seconds: float) -> None:
            asked.extend((count, options.port, options.backlog, seconds))

        def run(self) -> int:
            return 3

    monkeypatch.setattr("quart_plug.servers.workers.Supervisor", Supervisor)
    app = served_by(FakeServer(), SHUTDOWN_TIMEOUT=7)
    with pytest.raises(SystemExit) as end:
        app.run(port=0, workers=2, server="fake", server_options={"backlog": 5})
    assert end.value.code == 3
    assert asked == [2, 0, 5, 7.0]


def test_what_no_worker_could_do_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ({"server": "rocket"}, {"server_options": {"colour": "red"}}, {"certfile": "nowhere.pem"}):
        with pytest.raises(SystemExit) as end:
            served_by(FakeServer()).run(workers=2, **options)
        assert end.value.code == 1
        assert capsys.readouterr().err.count("Error: ") == 1


async def test_a_worker_takes_sigterm_once_and_its_supervisors_word_for_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StopSignals, "at_once", signal.SIGUSR2)
    monkeypatch.setattr("quart_plug.running.threading.Timer", Mock())  # the last resort ends the process
    cancelled = asyncio.Event()

    async def serve() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with StopSignals(asyncio.get_running_loop()) as signals:
        signals.task = asyncio.ensure_future(serve())
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(signals.requested.wait(), 10)
        assert signals.forced is None
        signal.raise_signal(signal.SIGUSR2)
        await asyncio.wait_for(cancelled.wait(), 10)
        assert signals.forced == signal.SIGUSR2
