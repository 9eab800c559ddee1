"""Urlencoded forms, and what an uploaded file can do."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from quart_plug.datastructures import FileStorage
from quart_plug.exceptions import RequestEntityTooLarge
from quart_plug.formparser import FormDataParser
from quart_plug.wrappers import multipart
from quart_plug.wrappers.body import Body

URLENCODED = "application/x-www-form-urlencoded"


async def urlencoded(raw: bytes, **kwargs: Any) -> list[tuple[str, str]]:
    body = Body(None, None)
    body.set_result(raw)
    fields, files = await FormDataParser(**kwargs).parse(body, URLENCODED, None)
    assert not files
    return list(fields.items(multi=True))


async def test_an_urlencoded_form() -> None:
    assert await urlencoded(b"a=1&b=%C3%A9+x&c=&a=2") == [("a", "1"), ("a", "2"), ("b", "é x"), ("c", "")]
    assert await urlencoded(b"a=%FF") == [("a", "%FF")]
    assert await urlencoded(b"a=\xff") == []  # malformed
    assert await urlencoded(b"") == []


async def test_the_limits_of_multipart_forms_do_not_concern_it() -> None:
    assert len(await urlencoded(b"a=1&b=2&c=34567", max_form_parts=2, max_form_memory_size=3)) == 3


async def test_a_long_urlencoded_form_is_parsed_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    pairs = multipart._urlencoded_pairs

    def watched(raw: bytes) -> Any:
        threads.append(threading.current_thread())
        return pairs(raw)

    monkeypatch.setattr(multipart, "_urlencoded_pairs", watched)
    assert await urlencoded(b"a=1") == [("a", "1")]
    assert await urlencoded(b"a=" + b"x" * multipart.URLENCODED_IN_LOOP) == [("a", "x" * 65536)]
    assert [thread is threading.current_thread() for thread in threads] == [True, False]


async def test_the_fields_of_an_urlencoded_form_are_limited() -> None:
    """A field of one byte costs far more than a byte of memory."""
    with pytest.raises(RequestEntityTooLarge, match="100000 fields"):
        await urlencoded(b"a&" * 100_000)


# FileStorage ------------------------------------------------------------------------------------------------


async def test_save_writes_from_where_the_stream_is(tmp_path: Path) -> None:
    storage = FileStorage(BytesIO(b"0123456789"), "x")
    storage.seek(2)
    await storage.save(tmp_path / "a")
    await storage.save(str(tmp_path / "b"))
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"23456789", b"")


async def test_save_into_an_open_file_leaves_it_open() -> None:
    target = BytesIO()
    await FileStorage(BytesIO(b"data")).save(target, buffer_size=1)
    assert target.getvalue() == b"data"


async def test_load_adds_a_files_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"data")
    storage = FileStorage()
    await storage.load(tmp_path / "a")
    storage.seek(0)
    assert storage.read() == b"data"


async def test_an_error_of_save_is_told(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        await FileStorage(BytesIO(b"data")).save(tmp_path)
