"""docs/how_to/publish_a_plugin.md, from its first command to its last: real environments, and an index of our own.

The commands are the page's, and so are the files. What stands in for PyPI is an index on this machine, named by the
variables that pip and twine have for it; quart-plug and what else is to be installed come from the wheels of
scripts/plugin-environments.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.project.test_docs import Block, blocks
from tests.support.environments import ROOT, home
from tests.support.package_index import PackageIndex

PAGE = ROOT / "docs" / "how_to" / "publish_a_plugin.md"
LIMIT = 180.0  # seconds for the commands of a block
YANKED = re.compile(r"^<!-- yanked: (?P<version>[\d.]+) -->$", re.M)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
DISTRIBUTION = "quart_plug_slow_log"


class Reader:
    """Does what the page says, in one shell: what a block changes of the folder and the environment stays.

    folder  the one that the reader begins in.
    """

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        made = home()
        self.folder = folder
        self.index = index
        self._state = folder / "state.sh"
        ours = ("QUART", "PYTEST", "COV_", "PYTHON", "VIRTUAL_ENV", "PIP_", "TWINE_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._environment = clean | {
            "PATH": f"{made / 'tools' / 'bin'}:{os.environ['PATH']}",
            "COLUMNS": "200",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_INDEX_URL": index.simple_url,
            "PIP_FIND_LINKS": f"{made / 'wheels'} {made / 'built'}",
            "TWINE_REPOSITORY_URL": index.upload_url,
            "TWINE_USERNAME": "__token__",
            "TWINE_PASSWORD": "pypi-of-the-test",
            "TWINE_NON_INTERACTIVE": "1",
        }
        self._state.write_text(f"cd {folder}\n")

    def follow(self, block: Block) -> None:
        if block.title is not None:
            path = self.folder / "plugin" / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
        elif block.language == "console":
            self._run(block)

    def _run(self, block: Block) -> None:
        lines = block.code.splitlines()
        commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        status = int(found[1]) if (found := re.search(r"status=(\d+)", block.info)) else 0
        keep = f'{{ export -p; declare -f deactivate || true; printf "cd %q\\n" "$PWD"; }} > {self._state}'
        script = "\n".join([f"source {self._state} 2>/dev/null", "set -e", *commands, keep])
        done = subprocess.run(
            ["bash", "-c", script], env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
        where = f"{PAGE.name}:{block.line}"
        assert done.returncode == status, f"{where} ended with {done.returncode}:\n{done.stdout}"
        shown = [line for line in lines if line.strip() and not line.startswith("$ ")]
        parts = [re.escape(part.strip()) for part in "\n".join(shown).split("…")]
        said = _COLOUR.sub("", done.stdout)
        assert re.search(".*?".join(parts), said, re.S), f"{where} printed something else:\n{said}"


def test_every_command_of_the_page_is_a_step() -> None:
    found = list(blocks(PAGE))
    assert [block.line for block in found if block.language == "console" and "step" not in block.info.split()] == []
    assert PAGE.read_text(encoding="utf-8").count("\n$ ") == sum(block.code.count("$ ") for block in found)


def test_from_nothing_to_a_published_plugin(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    yanked = {text.count("\n", 0, found.start()): found["version"] for found in YANKED.finditer(text)}
    with PackageIndex(tmp_path / "index") as index:
        reader = Reader(tmp_path, index)
        for block in blocks(PAGE):
            index.yanked |= {version: "it was wrong" for line, version in yanked.items() if line < block.line}
            reader.follow(block)
    versions = [f"{DISTRIBUTION}-{version}" for version in ("0.1.0", "0.1.1")]
    expected = [f"{name}{suffix}" for name in versions for suffix in ("-py3-none-any.whl", ".tar.gz")]
    assert sorted(index.uploads) == sorted(expected)
    assert index.yanked == {"0.1.1": "it was wrong"}
