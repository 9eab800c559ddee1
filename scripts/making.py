"""What scripts that make environments share: a folder is made once from its sources, by one process at a time.

Knows no environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
IGNORED = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "build", "dist"})


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of this name; processes that ask at the same time wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(folder: Path, sources: Sequence[Path], recipe: Callable[[], None]) -> None:
    """Follow the recipe unless the folder was made from the same sources: files, or folders with all their files."""
    stamp = folder / "ready"
    made_from = fingerprint(sources)
    if not stamp.exists() or stamp.read_text() != made_from:
        stamp.unlink(missing_ok=True)
        print(f"making {folder.relative_to(ROOT)}", file=sys.stderr)
        recipe()
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(made_from)


def fingerprint(sources: Sequence[Path]) -> str:
    """Tell from names and contents what is in the files and folders."""
    digest = hashlib.sha256()
    for source in sources:
        for path in files(source) if source.is_dir() else [source]:
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def files(folder: Path) -> list[Path]:
    """The files below a folder, without what tools leave behind."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if IGNORED.isdisjoint(path.relative_to(folder).parts))


def run(*command: str | Path) -> None:
    """Run it in the checkout; what it writes goes to standard error. Ends this script when it fails."""
    status = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode
    if status:
        sys.exit(f"{sys.argv[0]}: {' '.join(map(str, command))} ended with status {status}")
