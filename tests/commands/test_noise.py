"""What plugins and applications write to standard output by themselves is no part of a command's."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quart_plug.commands.state import quietly

NOISY = """
import os, subprocess, sys
from quart_plug import Quart, hookimpl

def noise(number):
    print("printed", number)
    print("kept", number, file=sys.__stdout__)
    os.write(1, b"written %d\\n" % number)
    subprocess.run(["echo", f"echoed {number}"])

class Noisy:
    @hookimpl
    def setup(self, app):
        noise(2)

    @hookimpl
    def cli_commands(self, app):
        noise(3)

    @hookimpl
    def request_before(self):
        noise(4)

noise(1)
app = Quart(__name__, plugins=[Noisy()])
app.add_url_rule("/", "index", lambda: "")
"""
WAYS = ("printed", "kept", "written", "echoed")


@pytest.mark.parametrize(
    ("command", "heard"),
    [
        (("plugins", "list"), (1, 2, 3)),
        (("plugins", "doctor"), (1, 2, 3)),
        (("plugins", "trace", "/"), (1, 2, 4)),
        (("routes",), (1, 2)),
    ],
    ids=["list", "doctor", "trace", "routes"],
)
def test_it_goes_to_standard_error_be_it_written_to_the_descriptor(
    project: Path, command: tuple[str, ...], heard: tuple[int, ...]
) -> None:
    (project / "shop.py").write_text(NOISY)
    done = subprocess.run(
        [sys.executable, "-m", "quart_plug", "--app", "shop", *command, "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    for number in heard:
        for way in WAYS:
            assert f"{way} {number}\n" in done.stderr


def test_what_somebody_has_put_in_the_place_of_standard_output_stays(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The descriptor is the process's, and who catches what is printed may be a part of it only."""
    monkeypatch.setattr(sys, "stdout", caught := io.StringIO())
    with quietly():
        print("to standard error")
        os.write(1, b"to the descriptor\n")
    print("after it")
    assert caught.getvalue() == "after it\n"
    assert tuple(capfd.readouterr()) == ("to the descriptor\n", "to standard error\n")
