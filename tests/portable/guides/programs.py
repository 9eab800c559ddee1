"""Programs that the lines run: commands, and servers that are asked once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def _environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "QUART", "GUIDES"))}
    return {**clean, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}", **more}


def _folder(source: str, name: str) -> Path:
    made = Path(tempfile.mkdtemp(prefix="guides-"))
    (made / name).write_text(source)
    return made


def program(source: str, *command: str, file: str = "hello.py", **environment: str) -> str:
    """What a command prints in a folder with this file."""
    done = subprocess.run(
        command,
        cwd=_folder(source, file),
        env=_environment(**environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def served(source: str, *command: str, file: str = "hello.py") -> str:
    """What a server that a command starts answers to GET /; "5000" in the command becomes a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [word.replace("5000", str(port)) for word in command],
        cwd=_folder(source, file),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    return answer.read().decode()
            except OSError:
                assert time.monotonic() < end, "the server did not answer"
                time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(20)
