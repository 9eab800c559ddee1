"""A plugin that is wrong, installed and enabled: the commands name it, and nothing else suffers."""

from __future__ import annotations

import asyncio
import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from quart_plug.hooks.selection import CORE
from tests.support.clients import client, ending, receive
from tests.support.environments import Distribution, Environment
from tests.support.servers import LIMIT, Server

from .faulty import BROKEN_METADATA, HOOK, ON_LOADING, ON_SETUP, UNREADABLE, Fault

ALL = [*ON_LOADING, ON_SETUP]


def get(server: Server, path: str = "/") -> tuple[int, str]:
    """Status and body."""
    try:
        with urlopen(server.url(path), timeout=LIMIT) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("fault", ON_LOADING, ids=lambda fault: fault.name)
def test_doctor_names_plugin_distribution_and_version(environment: Environment, fault: Fault) -> None:
    environment.add(*fault.distributions)
    done = environment.quart_plug("plugins", "doctor", QUART_PLUG_PLUGINS=fault.enabled)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    for word in (fault.name, fault.origin, *fault.says):
        assert word in done.stdout, done.stdout


@pytest.mark.parametrize("fault", ON_LOADING, ids=lambda fault: fault.name)
def test_list_shows_it_and_all_others(environment: Environment, fault: Fault) -> None:
    environment.add(*fault.distributions)
    done = environment.quart_plug("list", QUART_PLUG_PLUGINS=fault.enabled, module=True)
    assert done.returncode == 0, done.stdout
    assert re.search(rf"^{fault.name} +{fault.status} +1\.2 +{fault.distributions[0].name}", done.stdout, re.M)
    assert len(re.findall(r"^\w+ +active +\S+ +quart-plug ", done.stdout, re.M)) == len(CORE), done.stdout


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_an_app_that_asks_for_it_does_not_start(environment: Environment, fault: Fault) -> None:
    environment.add(*fault.distributions)
    said = environment.fails_to_serve(QUART_PLUG_PLUGINS=fault.enabled)
    for word in (fault.name, fault.origin, *fault.says, "environment QUART_PLUG_PLUGINS", "PLUGINS_STRICT"):
        assert word in said, said


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_an_app_that_is_not_strict_starts_without_it(environment: Environment, fault: Fault) -> None:
    environment.add(*fault.distributions)
    with environment.serve(QUART_PLUG_PLUGINS=fault.enabled, QUART_PLUGINS_STRICT="false") as server:
        assert get(server) == (200, "hello")
        assert get(server, "/left")[0] == 404
        assert "Started without these plugins" in server.output
        for word in (fault.name, fault.origin, *fault.says):
            assert word in server.output


def test_nothing_imports_a_plugin_that_is_not_enabled(environment: Environment) -> None:
    """Neither the commands that tell about plugins, nor a server."""
    for fault in ALL:
        environment.add(*fault.distributions)
    for arguments in (("list",), ("doctor",), ("--app", "app:app", "routes"), ("version",)):
        done = environment.quart_plug(*arguments)
        assert done.returncode == 0, done.stdout
    with environment.serve() as server:
        assert get(server) == (200, "hello")
    assert environment.imported == set()


def test_all_of_them_at_once(environment: Environment) -> None:
    """One report names everything, the commands work, safe mode starts, and so does an app that is not strict."""
    environment.add(*BROKEN_METADATA)
    for fault in ALL:
        environment.add(*fault.distributions)
    enabled = {"QUART_PLUG_PLUGINS": ",".join(fault.enabled for fault in ALL)}
    words = [word for fault in ON_LOADING for word in (fault.origin, *fault.says)]

    doctor = environment.quart_plug("doctor", **enabled)
    assert doctor.returncode == 1
    assert [word for word in (*words, *UNREADABLE) if word not in doctor.stdout] == []
    assert "Traceback" not in doctor.stdout

    listed = environment.quart_plug("plugins", "list", module=True, **enabled)
    assert listed.returncode == 0
    for fault in ON_LOADING:
        assert re.search(rf"^{fault.name} +{fault.status} ", listed.stdout, re.M), listed.stdout

    said = environment.fails_to_serve(**enabled)
    assert [word for word in words if word not in said] == []

    for options, variables in ((("--safe-mode",), {}), ((), {"QUART_PLUGINS_STRICT": "false"})):
        with environment.serve(*options, **enabled, **variables) as server:
            assert get(server) == (200, "hello")
            assert get(server, "/left")[0] == 404  # what was added before the set-up failed


def test_safe_mode_imports_none_of_them(environment: Environment) -> None:
    for fault in ALL:
        environment.add(*fault.distributions)
    with environment.serve("--safe-mode", QUART_PLUG_PLUGINS=",".join(fault.enabled for fault in ALL)) as server:
        assert get(server) == (200, "hello")
    assert environment.imported == set()


def test_what_the_command_line_turns_off_is_not_imported(environment: Environment) -> None:
    fault = ON_LOADING[0]
    environment.add(*fault.distributions)
    with environment.serve("--no-plugin", fault.name, QUART_PLUG_PLUGINS=fault.name) as server:
        assert get(server) == (200, "hello")
    assert environment.imported == set()
    assert fault.origin in environment.fails_to_serve(f"--plugin={fault.name}")


def test_disable_turns_one_off_for_the_project(environment: Environment) -> None:
    """The project asks for it and cannot start; `disable` writes that it is off, and the project starts."""
    fault = ON_LOADING[0]
    environment.add(*fault.distributions)
    path = environment.write("pyproject.toml", f'[tool.quart-plug]\nplugins = ["{fault.name}"]  # for the licence\n')
    assert fault.origin in environment.fails_to_serve()
    done = environment.quart_plug("plugins", "disable", fault.name)
    assert done.returncode == 0, done.stdout
    assert "# for the licence" in path.read_text()
    with environment.serve() as server:
        assert get(server) == (200, "hello")
    assert environment.imported == {"acme_at_import"}  # by the first attempt


STARTS = Distribution(
    "acme-starts",
    {
        "acme_starts.py": HOOK
        + "@hookimpl\ndef setup(app):\n    app.add_url_rule('/left', view_func=lambda: 'left')\n"
        + "@hookimpl\nasync def startup(app):\n    raise RuntimeError('no socket')"
    },
    {"starts": "acme_starts"},
    version="1.2",
)


def test_a_plugin_that_fails_at_start_up_is_named(environment: Environment) -> None:
    environment.add(STARTS)
    said = environment.fails_to_serve(QUART_PLUG_PLUGINS="starts")
    assert "plugin 'starts' (acme-starts 1.2) failed while the app started: RuntimeError: no socket" in said
    assert "In hook 'startup' of plugin 'starts' (acme-starts 1.2)." in said
    assert "the application did not start" in said


def test_an_app_that_is_not_strict_goes_on_without_it(environment: Environment) -> None:
    environment.add(STARTS)
    with environment.serve(QUART_PLUG_PLUGINS="starts", QUART_PLUGINS_STRICT="false") as server:
        assert get(server) == (200, "hello")
        assert get(server, "/left")[0] == 404
        assert "plugin 'starts' (acme-starts 1.2)" in server.output


FAILS_AT_TIMES = (
    HOOK
    + """
@hookimpl
async def request_before(ctx):
    if request.args:
        raise RuntimeError("no luck")


@hookimpl
async def websocket_received(ctx, message):
    if message == "fail":
        raise RuntimeError("no luck either")
"""
)


async def test_a_hook_that_fails_fails_its_connection_only(environment: Environment) -> None:
    """The request gets a 500, the websocket 1011; the log names hook, plugin, distribution and version."""
    environment.add(Distribution("acme-luck", {"acme_luck.py": FAILS_AT_TIMES}, {"luck": "acme_luck"}, version="1.2"))
    with environment.serve(QUART_PLUG_PLUGINS="luck") as server:
        async with client(server.ws("/ws")) as healthy, client(server.ws("/ws")) as failing:
            answers = await asyncio.gather(*(asyncio.to_thread(get, server, path) for path in ("/", "/?a=1", "/json")))
            assert [status for status, _ in answers] == [200, 500, 200]
            assert "no luck" not in answers[1][1]
            await server.printed(r"In hook 'request_before' of plugin 'luck' \(acme-luck 1\.2\)")
            await failing.send("fail")
            assert (await ending(failing))[0] == 1011
            await server.printed(r"In hook 'websocket_received' of plugin 'luck' \(acme-luck 1\.2\)")
            await healthy.send("still here")
            assert await receive(healthy) == "still here"
        assert (await asyncio.to_thread(get, server)) == (200, "hello")
