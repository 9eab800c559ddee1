"""A session cookie signed by Flask or Quart opens in quart-plug, and the other way round: tried with the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.extensions import run

EXCHANGE = Path(__file__).parent / "cookies" / "exchange.py"
NAMES = {"flask": ("flask", False), "quart": ("quart", False), "quart-plug": ("quart", True)}


def of_each(call: Callable[[str], Any]) -> dict[str, Any]:
    with ThreadPoolExecutor(len(NAMES)) as pool:
        return dict(zip(NAMES, pool.map(call, NAMES), strict=True))


def test_each_opens_what_the_others_signed(tmp_path: Path) -> None:
    def write(name: str) -> dict[str, str]:
        framework, alias = NAMES[name]
        cookies: dict[str, str] = json.loads(run([EXCHANGE, "write", framework], alias=alias).stdout)
        return cookies

    def read(name: str) -> dict[str, str]:
        framework, alias = NAMES[name]
        sessions: dict[str, str] = json.loads(
            run([EXCHANGE, "read", framework, tmp_path / "all"], alias=alias).stdout
        )
        return sessions

    written = of_each(write)
    cookies = {f"{case} of {name}": cookie for name, found in written.items() for case, cookie in found.items()}
    (tmp_path / "all").write_text(json.dumps(cookies))
    read_by = of_each(read)

    assert read_by["quart-plug"] == read_by["quart"] == read_by["flask"]
    for name, found in written.items():
        for case in found:
            sessions = read_by["quart-plug"]
            assert sessions[f"{case} of {name}"] == sessions[f"{case} of flask"], name
    empty = {case for case, session in read_by["flask"].items() if session == "False: []"}
    assert empty == {f"settings: {case} of {name}" for case in ("another key", "too old") for name in NAMES}
    assert len(written["flask"]) >= 27
