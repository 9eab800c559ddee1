"""Uploads, their limits, and downloads."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO

import pytest
from helpers import text
from quart.datastructures import FileStorage


@pytest.fixture
def stored(app):
    path = app.store.folder / "notes.txt"
    path.write_text("0123456789" * 3)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


async def test_an_upload(client, app):
    files = {"picture": FileStorage(BytesIO(b"\x89PNG"), filename="../my cat.png", content_type="image/png")}
    response = await client.post("/files/", files=files, form={"caption": "ä cat"})
    assert response.status_code == 201
    seen = await response.get_json()
    assert seen["caption"] == "ä cat"
    assert (seen["fields"], seen["files"]) == (["caption"], ["picture"])
    [kept] = seen["kept"]
    assert (kept["name"], kept["type"]) == ("my_cat.png", "image/png")
    assert (app.store.folder / "my_cat.png").read_bytes() == b"\x89PNG"


async def test_two_files_under_one_name(client, app):
    body = (
        b'--B\r\nContent-Disposition: form-data; name="picture"; filename="a.txt"\r\nContent-Type: text/plain\r\n'
        b"X-Extra: more\r\n\r\nfirst\r\n"
        b'--B\r\nContent-Disposition: form-data; name="picture"; filename="b.txt"\r\n\r\nsecond\r\n'
        b'--B\r\nContent-Disposition: form-data; name="caption"\r\n\r\nboth\r\n--B--\r\n'
    )
    response = await client.post("/files/", data=body, headers={"Content-Type": "multipart/form-data; boundary=B"})
    seen = await response.get_json()
    assert [(kept["name"], kept["extra"]) for kept in seen["kept"]] == [("a.txt", "more"), ("b.txt", None)]
    assert (app.store.folder / "a.txt").read_text() == "first"
    assert (app.store.folder / "b.txt").read_text() == "second"
    assert seen["caption"] == "both"


async def test_a_body_that_is_too_large(client):
    response = await client.post("/files/raw", data=b"x" * (64 * 1024 + 1))
    assert (response.status_code, await response.get_json()) == (
        413,
        {"code": 413, "name": "Request Entity Too Large"},
    )
    response = await client.post("/files/raw", data=b"x" * (64 * 1024))
    assert response.status_code == 200


async def test_a_limit_of_one_view(client):
    assert await (await client.post("/files/small", data=b"x" * 10)).get_json() == {"length": 10}


async def test_a_form_with_too_many_parts(client):
    part = b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\nx\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    assert (await client.post("/files/", data=part * 20 + b"--B--\r\n", headers=headers)).status_code == 201
    assert (await client.post("/files/", data=part * 21 + b"--B--\r\n", headers=headers)).status_code == 413


async def test_a_body_as_it_comes(client):
    response = await client.post("/files/digest", data=b"x" * 5000)
    assert await response.get_json() == {"sha256": hashlib.sha256(b"x" * 5000).hexdigest()}
    async with client.request("/files/digest", method="POST") as connection:
        await connection.send(b"one")
        await connection.send(b"two")
        await connection.send_complete()
    response = await connection.as_response()
    assert await response.get_json() == {"sha256": hashlib.sha256(b"onetwo").hexdigest()}


async def test_a_raw_body(client):
    response = await client.post("/files/raw", data="tëxt", headers={"Content-Type": "text/x-own; charset=utf-8"})
    seen = await response.get_json()
    assert (seen["text"], seen["again"], seen["type"]) == ("tëxt", "tëxt", "text/x-own")


async def test_a_download(client, stored):
    response = await client.get("/files/notes.txt")
    assert (response.status_code, await text(response)) == (200, "0123456789" * 3)
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert response.content_length == 30
    assert response.cache_control.max_age == 7
    assert response.cache_control.public


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-4", 206, "01234", "bytes 0-4/30"),
        ("bytes=25-", 206, "56789", "bytes 25-29/30"),
        ("bytes=10-1000", 206, "01234567890123456789", "bytes 10-29/30"),
        ("bytes=40-50", 416, None, None),
    ],
)
async def test_ranges(client, stored, asked, status, body, content_range):
    response = await client.get("/files/notes.txt", headers={"Range": asked})
    assert response.status_code == status
    if status == 206:
        assert (await text(response), response.headers["Content-Range"]) == (body, content_range)
        assert response.content_length == len(body)


async def test_ranges_of_what_is_in_memory(client):
    response = await client.get("/files/memory", headers={"Range": "bytes=2-4"})
    assert (response.status_code, await text(response)) == (206, "234")
    response = await client.get("/files/memory")
    assert (response.status_code, await text(response)) == (200, "0123456789")


async def test_if_range(client, stored):
    etag = (await client.get("/files/notes.txt")).headers["ETag"]
    response = await client.get("/files/notes.txt", headers={"Range": "bytes=0-1", "If-Range": etag})
    assert (response.status_code, await text(response)) == (206, "01")
    response = await client.get("/files/notes.txt", headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert response.status_code == 200


async def test_a_download_that_is_not_modified(client, stored):
    first = await client.get("/files/notes.txt")
    for condition in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        response = await client.get("/files/notes.txt", headers=condition)
        assert (response.status_code, await response.get_data()) == (304, b"")
    changed = {"If-Modified-Since": "Tue, 14 Nov 2023 22:13:19 GMT"}
    assert (await client.get("/files/notes.txt", headers=changed)).status_code == 200


async def test_attachments(client, stored):
    response = await client.get("/files/notes.txt?attach=1")
    assert response.headers["Content-Disposition"] == "attachment; filename=notes.txt"
    response = await client.get("/files/named/notes.txt")
    assert response.content_type == "text/x-board; charset=utf-8"
    assert response.headers["Content-Disposition"] == "attachment; filename=named.txt"
    assert response.cache_control.max_age == 30


async def test_files_that_are_not_there(client):
    for path in ("nothing.txt", "../factory.py", "..%2Ffactory.py", "a/../../b", "named/nothing"):
        assert (await client.get(f"/files/{path}")).status_code == 404, path


async def test_headers_of_a_file(client, stored):
    response = await client.get("/files/plain")
    assert response.headers["Content-Language"] == "en"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_response_made_by_hand(client):
    response = await client.get("/files/made")
    assert (response.status_code, await response.get_data()) == (203, b"made of bytes")
    assert response.headers["ETag"] == 'W/"of-my-own"'
    assert response.get_etag() == ("of-my-own", True)
    assert response.cache_control.max_age == 9
    assert "x-device" in response.vary
    response = await client.get("/files/made", headers={"If-None-Match": '"of-my-own"'})
    assert response.status_code == 304
