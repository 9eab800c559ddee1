"""`quart-plug plugins new` makes a distribution that builds, installs, is found, passes its tests and type-checks."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.environments import Environment, home


@dataclass
class Made:
    """A new distribution, and the environment that it is installed in."""

    environment: Environment
    folder: Path

    def mypy(self) -> subprocess.CompletedProcess[str]:
        """The author's own check, in the environment in which the plugin is installed."""
        options = {"--python-executable": self.environment.python, "--cache-dir": self.folder / "cache"}
        command = ["-m", "mypy", *(str(word) for option in options.items() for word in option)]
        path = f"{self.environment.site}:{home() / 'testing'}"
        return subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=self.environment.variables({"PYTHONPATH": path}),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def made(environment: Environment) -> Made:
    done = environment.quart_plug("plugins", "new", "rate-limit", "--json")
    assert done.returncode == 0, done.stdout
    folder = Path(json.loads(done.stdout)["folder"])
    pip = [home() / "tools" / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--target", environment.site, "--no-index", "--no-deps", "--no-build-isolation", folder],
        check=True, timeout=120,
    )  # fmt: skip
    return Made(environment, folder)


def test_it_installs_is_found_and_works(made: Made) -> None:
    environment = made.environment
    plugins = json.loads(environment.quart_plug("list", "--json").stdout)["plugins"]
    (found,) = [plugin for plugin in plugins if plugin["name"] == "rate_limit"]
    assert (found["distribution"], found["version"]) == ("quart-plug-rate-limit", "0.1.0")
    assert found["status"] == "disabled"
    environment.write("pyproject.toml", "[project]\nname = 'shop'\n")
    assert environment.quart_plug("plugins", "enable", "rate_limit").returncode == 0
    assert environment.quart_plug("--app", "app", "doctor").returncode == 0
    command = ("plugins", "show", "rate_limit", "--json", "--app", "app")
    shown = json.loads(environment.quart_plug(*command, QUART_PLUG_RATE_LIMIT__VALUE="x").stdout)
    assert (shown["status"], shown["documentation"].startswith("rate_limit: ")) == ("active", True)
    assert {field["name"]: (field["value"], field["documentation"]) for field in shown["configuration"]} == {
        "header": ("x-rate-limit", "The header's name."),
        "value": ("x", "What stands in it."),
    }
    with environment.serve() as server, urllib.request.urlopen(server.url(), timeout=30) as answer:
        assert answer.headers["x-rate-limit"] == "hello"


def test_its_tests_pass(made: Made) -> None:
    path = f"{made.environment.site}:{home() / 'testing'}"
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(made.folder), str(made.folder)]
    done = made.environment.run(*arguments, "-c", str(made.folder / "pyproject.toml"), PYTHONPATH=path)
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout


def test_its_types_are_checked_strictly_and_its_hooks_too(made: Made) -> None:
    done = made.mypy()
    assert (done.returncode, "Success: no issues found in 2 source files" in done.stdout) == (0, True), done.stdout
    module = made.folder / "src" / "quart_plug_rate_limit" / "__init__.py"
    module.write_text(module.read_text().replace("def request_after(ctx", "def requst_after(ctx"))
    done = made.mypy()
    assert (done.returncode, "requst_after" in done.stdout) == (1, True), done.stdout
