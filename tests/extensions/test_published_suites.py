"""The tests that extensions publish in their source archives pass, unmodified, with quart-plug under Quart's name.

Each suite runs twice in the environment of scripts/extensions: on the real Quart, which says how many pass there, and
on quart-plug. A plugin of pytest's tells which Quart that was.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import ARCHIVES, python, run

HERE = Path(__file__).parent
EXPECTED = {
    "quart-auth": 21,
    "quart-cors": 33,
    "quart-db": 18,
    "quart-enciphers": 18,
    "quart-rate-limiter": 6,
    "quart-schema": 207,
    "quart-tasks": 5,
}
# quart-db's tests run on each of its databases; of these SQLite needs no server.
OPTIONS = {
    "quart-db": ["-k", "not asyncpg and not psycopg"],
    # Hypothesis' own profile for CI: no deadline of 200 ms for an example, which a busy machine misses.
    "quart-schema": ["--hypothesis-profile=ci"],
}
PLUGINS = ["-p", "suite_probe", "-p", "no:cacheprovider", "-p", "no:dash"]  # the last comes with dash, and is slow
_PINNED = re.compile(r"^(?P<name>[\w-]+)==(?P<version>\S+) --hash=sha256:(?P<hash>\w+)$", re.M)


@dataclass
class Suite:
    passed: list[str]
    failed: dict[str, str]
    quart: str
    real_files: list[str]
    output: str


def unpacked(name: str, into: Path) -> Path:
    """The folder of an extension's source archive, whose hash is the one in suites.txt."""
    pins = {found["name"]: found for found in _PINNED.finditer((HERE / "suites.txt").read_text())}
    stem = f"{name.replace('-', '_')}-{pins[name]['version']}"
    python()  # which fetches the archives too
    archive = ARCHIVES / f"{stem}.tar.gz"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == pins[name]["hash"]
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    return into / stem


@pytest.fixture
def run_suite(tmp_path: Path) -> Callable[..., Suite]:
    def run_one(name: str, *arguments: str, environment: dict[str, str] | None = None) -> Suite:
        told = tmp_path / "told.json"
        done = run(
            ["-m", "pytest", *PLUGINS, *arguments, *OPTIONS.get(name, [])],
            cwd=unpacked(name, tmp_path),
            environment={"PYTHONPATH": str(HERE / "probe"), "SUITE_PROBE": str(told), **(environment or {})},
            check=False,
        )
        output = f"{done.stdout}\n{done.stderr}"
        assert told.exists(), output
        found: dict[str, Any] = json.loads(told.read_text())
        failed = {test: how for test, how in found["not passed"].items() if how != "skipped"}
        return Suite(found["passed"], failed, found["quart"], found["files of the real quart"], output)

    return run_one


@pytest.mark.parametrize("name", EXPECTED)
def test_on_the_real_quart(name: str, run_suite: Callable[..., Suite]) -> None:
    """So many pass there: what is expected of quart-plug is not less than that."""
    suite = run_suite(name)
    assert suite.quart == "quart.app"
    assert (len(suite.passed), suite.failed) == (EXPECTED[name], {}), suite.output


@pytest.mark.parametrize("name", EXPECTED)
def test_on_quart_plug(name: str, run_suite: Callable[..., Suite], record_property: Callable[..., None]) -> None:
    suite = run_suite(name, "-p", "quart_plug.as_quart")
    assert (suite.quart, suite.real_files) == ("quart_plug.app", [])
    record_property("summary", f"{name}'s own tests on quart-plug: {len(suite.passed)} of {EXPECTED[name]} passed")
    assert (len(suite.passed), suite.failed) == (EXPECTED[name], {}), suite.output


def test_the_variable_does_the_same(run_suite: Callable[..., Suite]) -> None:
    suite = run_suite("quart-cors", environment={"QUART_PLUG_AS_QUART": "1"})
    assert (suite.quart, suite.real_files) == ("quart_plug.app", [])
    assert len(suite.passed) == EXPECTED["quart-cors"], suite.output
