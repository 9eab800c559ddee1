"""A Quart application, written once, passes the same tests on the real Quart and on quart-plug.

The application is app/board, its tests are app/app_tests. Neither names quart-plug; which of the two `quart` is, is
decided from outside. Both runs are in the environment of the extensions (scripts/extensions).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from tests.support.extensions import run

APP = Path(__file__).parent / "app"
TESTS = APP / "app_tests"
SOURCES = sorted(APP.rglob("*.py"))
SURFACE = Path(__file__).parents[1] / "surface" / "quart-0.22.0.json"

# Public names of `quart` that the application does not use, and why.
UNUSED = {
    "get_template_attribute": "fails on Quart 0.22 for every template, since its environment is asynchronous",
    "signals_available": "a constant",
}


def results(alias: bool, folder: Path) -> tuple[str, dict[str, str]]:
    """Whose `quart` the tests had, and the outcome of each by its name."""
    report = folder / f"{alias}.xml"
    arguments = ["-m", "pytest", "-q", "-c", "pytest.ini", "--rootdir", ".", "--confcutdir", ".", "-p", "no:dash"]
    done = run(
        [*arguments, "-p", "no:cacheprovider", "--tb=short", "--junit-xml", report], alias=alias, cwd=TESTS, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    suite = ElementTree.parse(report).getroot()
    [owner] = (found.get("value", "") for found in suite.iter("property") if found.get("name") == "quart")
    outcomes = {
        f"{case.get('classname')}::{case.get('name')}": case[0].tag if len(case) else "passed"
        for case in suite.iter("testcase")
    }
    failed = [name for name, outcome in outcomes.items() if outcome != "passed"]
    assert not failed, f"on {owner}:\n{done.stdout}"
    assert done.returncode == 0, done.stdout + done.stderr
    return owner, outcomes


def test_the_same_tests_pass_on_both(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with ThreadPoolExecutor() as both:
        real, ours = both.map(lambda alias: results(alias, tmp_path), [False, True])
    assert (real[0], ours[0]) == ("quart.app", "quart_plug.app")
    assert real[1].keys() == ours[1].keys()
    assert len(real[1]) >= 270
    record_property("summary", f"the portable application: {len(real[1])} tests pass on Quart and on quart-plug")


def test_the_application_never_heard_of_quart_plug() -> None:
    files = [path for path in APP.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [str(path) for path in files if b"quart_plug" in (text := path.read_bytes()) or b"quart-plug" in text] == []


def test_every_public_name_of_quart_is_used() -> None:
    used = {
        name.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "quart"
        for name in node.names
    }
    assert set(json.loads(SURFACE.read_text(encoding="utf-8"))["quart"]) - used == set(UNUSED)
