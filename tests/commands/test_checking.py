"""`doctor`: everything that is wrong, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug.hooks.selection import CORE


def test_it_is_content_when_nothing_is_wrong(run: Any, run_json: Any) -> None:
    status, out, _ = run("doctor")
    assert (status, out.startswith(f"Nothing is wrong: {len(CORE)} plugins are active")) == (0, True)
    found = run_json("plugins", "doctor")
    assert (found["faults"], found["active"], found["application"]) == ([], len(CORE), None)


def test_every_broken_plugin_is_a_fault(install: Any, run: Any, run_json: Any) -> None:
    install("broken", "1 / 0")
    install("worse", "import nothing_like_this_module")
    install("misspelt", "from quart_plug import hookimpl\n@hookimpl\ndef stup(app, nothing): ...")
    os.environ["QUART_PLUG_PLUGINS"] = "broken,worse,misspelt"
    status, out, _ = run("plugins", "doctor")
    assert status == 1
    for words in ("broken (broken-dist 1.0) is failed", "nothing_like_this_module", "did you mean 'setup'?"):
        assert words in out
    faults = run_json("doctor", status=1)["faults"]
    assert {(fault["plugin"], fault["kind"]) for fault in faults} == {
        ("broken", "failed"),
        ("worse", "missing"),
        ("misspelt", "failed"),
    }


def test_with_an_application_set_up_and_configuration_are_looked_at(project: Path, install: Any, run_json: Any) -> None:
    """All of them, although the application would stop at the first."""
    install("one", "from quart_plug import hookimpl\n@hookimpl\ndef setup(app): raise LookupError('no database')\n")
    install("two", "from quart_plug import hookimpl\n@hookimpl\ndef setup(app): raise LookupError('no cache')\n")
    install("three")
    (project / "shop.py").write_text(
        "from quart_plug import Quart\napp = Quart(__name__, plugins=['one', 'two', 'three'])\n"
        "app.config['PLUGIN_CONFIG'] = {'three': {'unknown': 1}}\n"
    )
    text = "\n".join(fault["text"] for fault in run_json("doctor", "--app", "shop", status=1)["faults"])
    for words in ("no database", "no cache", "'three' takes no configuration"):
        assert words in text


def test_an_application_that_cannot_be_loaded_is_a_fault_beside_the_others(
    project: Path, install: Any, run: Any, run_json: Any
) -> None:
    install("broken", "1 / 0")
    os.environ["QUART_PLUG_PLUGINS"] = "broken"
    (project / "shop.py").write_text("import nothing_such\n")
    kinds = [fault["kind"] for fault in run_json("doctor", "--app", "shop", status=1)["faults"]]
    assert kinds == ["application", "failed"]
    status, out, _ = run("doctor", "--app", "shop")
    assert (status, "No module named 'nothing_such'" in out, "ZeroDivisionError" in out) == (1, True, True)


def test_what_raises_at_set_up_without_being_a_plugin_is_the_applications(project: Path, run_json: Any) -> None:
    (project / "shop.py").write_text(
        "from quart_plug import Quart\napp = Quart(__name__)\napp.add_url_rule('/<nothing:x>', 'x', lambda x: '')\n"
    )
    (fault,) = run_json("doctor", "--app", "shop", status=1)["faults"]
    assert (fault["kind"], fault["plugin"], "nothing" in fault["text"]) == ("application", None, True)


def test_a_project_file_that_is_no_toml(project: Path, run: Any) -> None:
    (project / "pyproject.toml").write_text("[tool.quart-plug")
    status, out, _ = run("doctor")
    assert (status, "pyproject.toml is not valid TOML" in out) == (1, True)


NAMED = "of plugin 'broken' (broken-dist 1.0) failed:"
SLOTS = (
    "json_provider", "session_interface", "template_engine", "file_server", "command_line", "debug_page", "rooms"
)
LISTED = ("content_types", "template_folders", "template_loaders", "cli_commands")
NAMES = ("template_context", "template_filters", "template_tests", "template_globals")


@pytest.fixture
def fault_of(project: Path, install: Any, run: Any, run_json: Any) -> Callable[[str], str]:
    """The only fault of an application with the plugin `broken`, of this text."""

    def ask(text: str) -> str:
        install("broken", f"from quart_plug import hookimpl\nprint('noise')\n{text}\n")
        install("healthy", "from quart_plug import hookimpl\n@hookimpl\ndef template_tests(app): return {'up': len}\n")
        (project / "shop.py").write_text(
            "from quart_plug import Quart\napp = Quart(__name__, plugins=['broken', 'healthy'])\n"
        )
        (fault,) = run_json("doctor", "--app", "shop", status=1)["faults"]
        assert (fault["plugin"], fault["kind"]) == ("broken", "hook")
        status, out, _ = run("plugins", "doctor", "--app", "shop")
        assert (status, out.strip()) == (1, f"- {fault['text']}")
        return str(fault["text"])

    return ask


@pytest.mark.parametrize("hook", [*SLOTS, *LISTED, *NAMES])
def test_what_is_asked_only_when_it_is_needed_is_asked(fault_of: Any, hook: str) -> None:
    """Such a plugin is set up all right, and fails every request or command that comes to it."""
    text = fault_of(f"@hookimpl\ndef {hook}(app): raise LookupError('no luck')")
    assert text == f"hook {hook!r} {NAMED} LookupError: no luck"


def test_the_default_server_is_asked_for(fault_of: Any) -> None:
    text = fault_of("@hookimpl\ndef server(app, name): raise LookupError('no luck')")
    assert text == f"hook 'server' {NAMED} LookupError: no luck"


@pytest.mark.parametrize(
    ("hook", "answer", "said"),
    [
        ("content_types", "['nope']", "'nope' to the hook 'content_types', which is no codec"),
        ("template_filters", "['nope']", "it gave ['nope'], which is no mapping"),
        ("template_loaders", "['nope']", "it gave 'nope', which is no loader of templates"),
        ("template_folders", "7", "TypeError: 'int' object is not iterable"),
        ("cli_commands", "['nope']", "'nope' is not a click command"),
        ("template_globals", "1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_makes_no_sense_is_a_fault(fault_of: Any, hook: str, answer: str, said: str) -> None:
    text = fault_of(f"@hookimpl\ndef {hook}(app): return {answer}")
    assert (text.startswith(f"hook {hook!r} {NAMED}"), said in text) == (True, True), text


@pytest.mark.parametrize("hook", ["request_before", "connection", "json_default", "session_interface", "cli_commands"])
def test_an_option_that_raises_is_a_fault(fault_of: Any, hook: str) -> None:
    body = "async def connection(ctx): yield" if hook == "connection" else f"def {hook}(): ..."
    text = fault_of(f"def when(): raise LookupError('no luck')\n@hookimpl(when=when)\n{body}")
    assert (hook in text, f"{NAMED} LookupError: no luck" in text) == (True, True), text


def test_what_needs_a_request_or_is_never_asked_is_no_fault(project: Path, install: Any, run: Any) -> None:
    install(
        "one",
        "from quart_plug import hookimpl, request\n"
        "@hookimpl\ndef template_context(app): return {'path': request.path}\n"
        "@hookimpl\ndef session_interface(app): raise LookupError('nobody asks')\n"
        "@hookimpl\ndef startup(app): raise LookupError('not started')\n"
        "@hookimpl\ndef shell_context(app): raise LookupError('no shell')\n",
    )
    (project / "shop.py").write_text(
        "from quart_plug import Quart\nfrom quart_plug.sessions import SecureCookieSessionInterface\n"
        "app = Quart(__name__, plugins=['one'])\napp.session_interface = SecureCookieSessionInterface()\n"
    )
    status, out, _ = run("doctor", "--app", "shop")
    assert (status, out.startswith("Nothing is wrong")) == (0, True), out
