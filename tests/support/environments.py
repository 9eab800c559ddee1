"""Environments as users have them: quart-plug from its wheel, other distributions beside it, the real commands.

`scripts/plugin-environments` makes the environments. A test adds small distributions of its own in a folder on the
path, with the metadata that an installer would leave there, and runs `quart-plug` in a project's folder:

    environment.add(Distribution("acme-shout", {"acme_shout.py": CODE}, plugins={"shout": "acme_shout"}))
    environment.quart_plug("plugins", "doctor", QUART_PLUG_PLUGINS="shout")
    with environment.serve() as server: ...

A Distribution's modules write their names into a file when they are imported; `environment.imported` reads it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .extensions import made_by
from .servers import Server

ROOT = Path(__file__).parents[2]
LIMIT = 60.0  # seconds for a command
TRACE = "ENVIRONMENT_TRACE"

# The first line of each module: who imports it is seen.
TRACED = f"import os; open(os.environ['{TRACE}'], 'a').write(__name__ + '\\n')\n"

APP = """
from quart_plug import Quart, websocket

app = Quart(__name__)
app.config.from_prefixed_env()  # QUART_PLUGINS_STRICT and others


@app.get("/")
async def index():
    return "hello"


@app.get("/json")
async def data():
    return {"words": ["hello"]}


@app.websocket("/ws")
async def echo():
    while True:
        await websocket.send(await websocket.receive())
"""


def home() -> Path:
    """The folder of the environments."""
    return made_by("plugin-environments", "the environments for plugins")


@dataclass(frozen=True)
class Distribution:
    """A distribution as an author would publish it.

    modules   its files by path, such as "acme/rooms.py".
    plugins   its entry points of the group quart_plug.plugins: name -> value.
    metadata  the text of METADATA, where it is not as it should be.
    """

    name: str
    modules: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    version: str = "1.0"
    metadata: str | None = None

    @property
    def info(self) -> str:
        """The name of the folder with its metadata."""
        return f"{self.name.replace('-', '_')}-{self.version}.dist-info"

    def files(self) -> dict[str, bytes]:
        """What a wheel of it has in it."""
        metadata = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        points = "".join(f"{name} = {value}\n" for name, value in self.plugins.items())
        texts = {path: TRACED + text for path, text in self.modules.items()} | {
            f"{self.info}/METADATA": metadata if self.metadata is None else self.metadata,
            f"{self.info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{self.info}/entry_points.txt": f"[quart_plug.plugins]\n{points}",
        }
        contents = {path: text.encode() for path, text in texts.items()}
        lines = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in contents.items()]
        record = f"{self.info}/RECORD"
        return {**contents, record: "".join([*lines, f"{record},,\n"]).encode()}

    def install(self, folder: Path) -> None:
        """Put it into a folder that is on the path, as an installer would."""
        for path, content in self.files().items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    def wheel(self, folder: Path) -> Path:
        """Write its wheel into a folder; gives its path."""
        path = folder / f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self.files().items():
                archive.writestr(name, content)
        return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


class Environment:
    """A Python with the quart-plug wheel, distributions beside it, and a project.

    python   the interpreter.
    site     the folder with the distributions of the test.
    project  the folder in which commands run, with `app.py`.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self.python = python
        self.site = folder / "site"
        self.project = folder / "project"
        self._trace = folder / "imported"
        for path in (self.site, self.project):
            path.mkdir()
        self.write("app.py", APP)

    @property
    def script(self) -> Path:
        return self.python.with_name("quart-plug")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project / name
        path.write_text(text, encoding="utf-8")
        return path

    def add(self, *distributions: Distribution) -> None:
        for distribution in distributions:
            distribution.install(self.site)

    def remove(self, distribution: Distribution) -> None:
        for path in distribution.files():
            (self.site / path).unlink()
        shutil.rmtree(self.site / distribution.info)

    @property
    def imported(self) -> set[str]:
        """The modules of added distributions that any command has imported."""
        return set(self._trace.read_text().split()) if self._trace.exists() else set()

    def variables(self, changed: Mapping[str, str]) -> dict[str, str]:
        """The environment of its processes: nothing of ours, `PYTHONPATH` with the site, and what the test adds."""
        ours = ("QUART", "PYTEST", "COV_", "PYTHON", "VIRTUAL_ENV", "COLUMNS")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        settings = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        return clean | settings | {"PYTHONPATH": str(self.site), TRACE: str(self._trace)} | dict(changed)

    def quart_plug(
        self, *arguments: str, module: bool = False, errors: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command `quart-plug`, or `python -m quart_plug`.

        errors  whether standard error goes where standard output goes; else it is left out.
        """
        command = [self.python, "-m", "quart_plug"] if module else [self.script]
        return self._run(*command, *arguments, variables=variables, errors=errors)

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments."""
        return self._run(self.python, *arguments, variables=variables)

    def _run(
        self, *command: str | Path, variables: Mapping[str, str], errors: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.project,
            env=self.variables(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            timeout=LIMIT,
            check=False,
        )

    def serve(self, *options: str, app: str = "app:app", **variables: str) -> Server:
        """Start `quart-plug run`; `options` are those of `quart-plug`, such as "--safe-mode"."""
        return Server(
            app,
            self.project,
            path=(self.site,),
            environment=self.variables(variables),
            script=self.script,
            options=options,
        )

    def fails_to_serve(self, *options: str, **variables: str) -> str:
        """Start `quart-plug run`, which has to end by itself, with a status that says so; gives what it said."""
        process = subprocess.Popen(
            [self.script, "--app", "app:app", *options, "run", "--port", "0"],
            cwd=self.project,
            env=self.variables(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        assert process.stdout is not None
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        said = ""
        with process:
            for line in process.stdout:
                said += line
                if "Running on" in line:
                    process.kill()
        limit.cancel()
        assert "Running on" not in said, f"it was to fail, and it serves:\n{said}"
        assert process.returncode > 0, f"it ended with status {process.returncode}:\n{said}"
        return said
