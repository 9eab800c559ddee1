"""`doctor`: everything that is wrong, at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def test_it_is_content_when_nothing_is_wrong(run: Any, run_json: Any) -> None:
    status, out, _ = run("doctor")
    assert (status, out.startswith("Nothing is wrong: 8 plugins are active")) == (0, True)
    found = run_json("plugins", "doctor")
    assert (found["faults"], found["active"], found["application"]) == ([], 8, None)


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
