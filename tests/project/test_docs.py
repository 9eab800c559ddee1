"""What the documentation shows is true: its code runs, its links lead somewhere, its references are complete.

Each page of docs/, and README.md, is run from top to bottom in a process and a folder of its own. A fenced block's
info string says what it is:

    ```python                      is executed; the blocks of a page share one namespace, and `await` works in them
    ```python title="app.py"       is written to that file of the folder (any language)
    ```console run                 each line after "$ " is run in the folder; the other lines have to be in what it
                                   prints, in this order ("…" stands for anything)
    ```console run status=1        as before, for a command that fails
    ```text, ```console, …         are shown only

A page is run alone with `python tests/project/test_docs.py PAGE FOLDER`, in the folder in which it is to work.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import invalidate_caches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LIMIT = 60.0  # seconds for a page

_BLOCK = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n`]*)\n(?P<code>.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)


@dataclass
class Block:
    language: str
    info: str
    code: str
    line: int  # of the page, at which the code begins

    @property
    def title(self) -> str | None:
        found = re.search(r'title="([^"]+)"', self.info)
        return found[1] if found else None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Block(found["language"], found["info"], found["code"], text.count("\n", 0, found.start()) + 2)


async def run_page(page: Path, folder: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if block.title is not None:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
            forget_modules_of(folder)
        elif block.language == "python":
            source = "\n" * (block.line - 1) + block.code  # so that a traceback names the page's line
            code = compile(source, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, namespace)
            if inspect.iscoroutine(result):
                await result
        elif block.info.split()[:1] == ["run"]:
            run_console(block, page, folder)


def forget_modules_of(folder: Path) -> None:
    """A file that a page changes is imported anew."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
    invalidate_caches()


def run_console(block: Block, page: Path, folder: Path) -> None:
    lines = block.code.splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    status = int(found[1]) if (found := re.search(r"status=(\d+)", block.info)) else 0
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        "\n".join(["set -e", *commands]), shell=True, cwd=folder, env={**os.environ, "PATH": path, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
    )  # fmt: skip
    where = f"{page}:{block.line}"
    assert done.returncode == status, f"{where} ended with {done.returncode}:\n{done.stdout}"
    shown = [line for line in lines if line.strip() and not line.startswith("$ ")]
    parts = [re.escape(part.strip()) for part in "\n".join(shown).split("…")]
    assert re.search(".*?".join(parts), done.stdout, re.S), f"{where} printed something else:\n{done.stdout}"


def of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page))], ids=of)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    found = sum(block.language == "python" for block in blocks(page))
    assert page.read_text(encoding="utf-8").count("```python") == found, f"{of(page)} has a block that is not found"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUART", "PYTEST", "COV"))}
    kept["PYTHONDONTWRITEBYTECODE"] = "1"  # a page may write a module twice within a second
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__, str(page), str(tmp_path)],
        cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = (title.lower().replace("`", "") for title in _HEADING.findall(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{of(page)} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{of(page)} links to {target}: there is no such heading"


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text(encoding="utf-8"))}
    assert set(PAGES) - linked - {index, ROOT / "README.md"} == set()


def generator() -> ModuleType:
    spec = spec_from_file_location("generate_reference", ROOT / "scripts" / "generate_reference.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    for path, text in generator().pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{of(path)} is out of date: run `make docs`"


def reference(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    from quart_plug.app_config import DEFAULT_CONFIG

    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", reference("configuration.md"), re.M)
    assert {name: eval(default, {"timedelta": timedelta}) for name, default in rows} == DEFAULT_CONFIG


def test_every_hook_is_in_the_reference() -> None:
    from quart_plug.hooks import PluginManager, specs

    manager = PluginManager([])
    manager.add_hookspecs(specs)
    assert set(re.findall(r"^### `(\w+)`$", reference("hooks.md"), re.M)) == set(manager.specs)


def test_every_hook_is_documented() -> None:
    """With more than its name: a sentence, which a person can learn from when it is called and what its answer does."""
    from quart_plug.hooks import PluginManager, specs

    manager = PluginManager([])
    manager.add_hookspecs(specs)
    for name, spec in manager.specs.items():
        sentence = spec.documentation.partition("\n")[0]
        words = set(re.findall(r"[a-z]+", sentence.lower()))
        assert len(words - set(name.split("_"))) >= 3, f"the hook {name!r} needs more documentation than {sentence!r}"
        assert spec.documentation.rstrip().endswith((".", ":")), f"{name!r}: a sentence ends with a full stop"


def test_every_hook_has_a_user() -> None:
    """A plugin that is shipped, or an example; a hook that nobody uses has not been tried."""
    from quart_plug.hooks import PluginManager, specs

    manager = PluginManager([])
    manager.add_hookspecs(specs)
    unused = manager.specs.keys() - generator().users().keys()
    assert not unused, f"no plugin in plugins/ or examples/ implements {', '.join(sorted(unused))}"


def test_every_plugin_of_ours_is_in_the_reference() -> None:
    """The core plugins first, as they are called; then those that are off."""
    from quart_plug.hooks.selection import CORE

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.findall(r"^## `(\w+)`$", reference("plugins.md"), re.M)
    assert found[: len(CORE)] == list(CORE)
    assert sorted(found) == sorted(project["entry-points"]["quart_plug.plugins"])


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text and "make test" in text


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])
    asyncio.run(run_page(Path(sys.argv[1]), Path(sys.argv[2])))
