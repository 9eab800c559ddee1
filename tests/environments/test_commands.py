"""The commands about plugins where every plugin that is enabled is broken, but for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from quart_plug.hooks.selection import CORE
from tests.support.environments import Distribution, Environment

from .faulty import BROKEN_METADATA, HOOK, ON_LOADING, ON_SETUP
from .test_faulty_plugins import ALL, get

GREETS = HOOK + "@hookimpl\ndef setup(app):\n    app.add_url_rule('/greet', view_func=lambda: 'good day')\n"
HEALTHY = Distribution("acme-greets", {"acme_greets.py": GREETS}, {"greets": "acme_greets"}, version="1.2")
ENABLED = {"QUART_PLUG_PLUGINS": ",".join([*(fault.enabled for fault in ALL), "greets"])}


@pytest.fixture
def broken(environment: Environment) -> Environment:
    environment.add(*BROKEN_METADATA, HEALTHY)
    for fault in ALL:
        environment.add(*fault.distributions)
    return environment


def data(environment: Environment, *arguments: str, status: int = 0, module: bool = False, **variables: str) -> Any:
    """What a command gives as JSON; nothing else is on standard output."""
    done = environment.quart_plug(*arguments, "--json", module=module, errors=False, **variables)
    assert done.returncode == status, done.stdout
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", [False, True], ids=["script", "module"])
def test_list_and_doctor_tell_of_all(broken: Environment, module: bool) -> None:
    plugins = data(broken, "plugins", "list", module=module, **ENABLED)["plugins"]
    listed = {plugin["name"]: plugin for plugin in plugins}
    for fault in ON_LOADING:
        entry = listed[fault.name]
        assert entry["status"] == fault.status
        assert f"{entry['distribution']} {entry['version']}" == fault.origin
        assert all(word in entry["reason"] for word in fault.says)
    assert listed["greets"]["status"] == "active"
    faults = data(broken, "plugins", "doctor", status=1, module=module, **ENABLED)["faults"]
    assert {fault.name for fault in ON_LOADING} <= {fault["plugin"] for fault in faults}


def test_with_an_application_its_set_up_is_looked_at(broken: Environment) -> None:
    faults = data(broken, "plugins", "doctor", "--app", "app:app", status=1, **ENABLED)["faults"]
    [found] = [fault["text"] for fault in faults if fault["plugin"] == ON_SETUP.name]
    assert all(word in found for word in (ON_SETUP.origin, *ON_SETUP.says))


def test_show_and_hooks(broken: Environment) -> None:
    for fault in ON_LOADING[:3]:
        done = broken.quart_plug("plugins", "show", fault.name, **ENABLED)
        assert done.returncode == 0, done.stdout
        assert all(word in done.stdout for word in (fault.origin, fault.status, *fault.says))
    hooks = {hook["name"]: hook for hook in data(broken, "plugins", "hooks", **ENABLED)["hooks"]}
    called = [implementation["plugin"] for implementation in hooks["setup"]["implementations"]]
    assert "greets" in called and not {fault.name for fault in ON_LOADING} & set(called)


def test_safe_mode_and_options_count_for_them_too(broken: Environment) -> None:
    listed = data(broken, "--safe-mode", "plugins", "list", **ENABLED)["plugins"]
    assert {plugin["name"] for plugin in listed if plugin["status"] == "active"} >= {"json", "cli"}
    told = data(broken, "plugins", "doctor", "--app", "app:app", "--safe-mode", status=1, **ENABLED)
    assert told["active"] == len(CORE)
    assert broken.imported == set()


def test_what_is_broken_can_be_turned_off_and_on(broken: Environment) -> None:
    """One command for each; then the application starts, and only the healthy one is imported."""
    some = (*ON_LOADING[:2], ON_SETUP)
    names = ", ".join(f'"{fault.name}"' for fault in some)
    broken.write("pyproject.toml", f'[tool.quart-plug]\nplugins = [{names}, "greets"]\n')
    assert ON_LOADING[0].origin in broken.fails_to_serve()
    (broken.project.parent / "imported").unlink()
    for fault in some:
        done = broken.quart_plug("plugins", "disable", fault.name)
        assert done.returncode == 0, done.stdout
    with broken.serve() as server:
        assert get(server, "/greet") == (200, "good day")
    assert broken.imported == {"acme_greets"}
    assert broken.quart_plug("plugins", "enable", ON_LOADING[0].name).returncode == 0
    assert ON_LOADING[0].origin in broken.fails_to_serve()


def test_trace_tells_times_of_what_works(broken: Environment) -> None:
    lenient = {"QUART_PLUGINS_STRICT": "false"}
    found = data(broken, "plugins", "trace", "--app", "app:app", "/greet", **ENABLED, **lenient)
    assert [run["status"] for request in found["requests"] for run in request["runs"]] == [200]
    assert "greets" in {span["plugin"] for span in found["start_up"]}


CLAIMS = (
    HOOK
    + """
import click


@click.command("seed")
def seed():
    click.echo("{who}")


@hookimpl
def cli_commands(app):
    return [seed]


@hookimpl
def setup(app):
    app.add_url_rule("/claimed", "claimed_{who}", view_func=lambda: "{who}")


@hookimpl
def json_provider(app):
    from quart_plug.json.provider import DefaultJSONProvider

    return DefaultJSONProvider(app)
"""
)


def test_two_that_claim_one_thing_are_both_named(environment: Environment) -> None:
    """A slot, a route and a command; the first one has them."""
    for who in ("one", "two"):
        code = {f"acme_{who}.py": CLAIMS.replace("{who}", who)}
        environment.add(Distribution(f"acme-{who}", code, {who: f"acme_{who}"}, version="1.2"))
    enabled = {"QUART_PLUG_PLUGINS": "one,two"}
    conflicts = data(environment, "plugins", "list", "--app", "app:app", **enabled)["conflicts"]
    assert {conflict["kind"] for conflict in conflicts} == {"slot", "route", "command"}
    assert all({"one", "two"} <= set(conflict["plugins"]) for conflict in conflicts)
    doctor = environment.quart_plug("plugins", "doctor", "--app", "app:app", **enabled)
    assert doctor.returncode == 1
    for conflict in conflicts:
        assert "acme-one 1.2" in conflict["text"] and "acme-two 1.2" in conflict["text"]
        assert conflict["text"] in doctor.stdout
    assert environment.quart_plug("--app", "app:app", "seed", **enabled).stdout.endswith("one\n")
    with environment.serve(**enabled) as server:
        assert get(server, "/claimed") == (200, "one")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plugins", "show", "greet"), "did you mean 'greets'?"),
        (("plugins", "disable", "at_inport"), "did you mean 'at_import'?"),
        (("plugins", "hooks", "setpu"), "did you mean 'setup'?"),
        (("plugins", "docto"), "did you mean 'doctor'?"),
        (("--no-plugin", "greet", "plugins", "list"), "did you mean 'greets'?"),
    ],
)
def test_a_misspelt_word_is_told(broken: Environment, arguments: tuple[str, ...], words: str) -> None:
    broken.write("pyproject.toml", "")
    done = broken.quart_plug(*arguments)
    assert words in done.stdout
    assert "Traceback" not in done.stdout
