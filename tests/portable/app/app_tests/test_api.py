"""The API: class-based views, JSON, conditional answers."""

from __future__ import annotations

from helpers import text


async def test_notes_as_json(client, notes):
    response = await client.get("/notes/api/notes")
    assert response.headers["X-Counted"] == "yes"
    first, *_ = await response.get_json()
    assert first == {
        "id": 1,
        "title": "First note",
        "author": "ada",
        "tags": ["red"],
        "price": "0.00",
        "created": "Thu, 29 Feb 2024 12:30:15 GMT",
        "uid": "00000000-0000-0000-0000-000000000007",
    }


async def test_the_provider_decides(client, notes, app):
    assert (await text(await client.get("/notes/api/whole/2"))).startswith('{"note":{"id":2,"title":"Second",')
    app.json.sort_keys = True
    app.json.compact = False
    assert (await text(await client.get("/notes/api/whole/2"))).startswith('{\n  "note": {\n    "author": "grace",\n')


async def test_a_note_is_made(client, app):
    response = await client.post("/notes/api/notes", json={"title": "Made", "tags": ["z", "a"]})
    assert (response.status_code, response.location) == (201, "http://localhost/notes/api/notes/1")
    assert await response.get_json() == {"id": 1, "title": "Made", "tags": ["a", "z"], "price": "0.00"}


async def test_broken_json_is_the_requests_affair_here_too(client, notes):
    response = await client.patch("/notes/api/notes/1", data=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, await text(response)) == (415, "not JSON")
    response = await client.patch("/notes/api/notes/1", data=b'{"title": "P"}')
    assert (await response.get_json())["title"] == "P"


async def test_one_view_for_all_requests(client, notes):
    seen = [(await client.get("/notes/api/notes/1")).headers["X-Calls"] for _ in range(2)]
    assert seen == ["once:1", "once:2"]


async def test_conditional_answers(client, notes):
    response = await client.get("/notes/api/notes/1")
    etag = response.headers["ETag"]
    again = await client.get("/notes/api/notes/1", headers={"If-None-Match": etag})
    assert (again.status_code, await again.get_data()) == (304, b"")
    notes[0].title = "Changed"
    assert (await client.get("/notes/api/notes/1", headers={"If-None-Match": etag})).status_code == 200


async def test_deleting_in_a_thread(client, notes):
    response = await client.delete("/notes/api/notes/1")
    assert (response.status_code, await response.get_data()) == (204, b"")
    response = await client.get("/notes/api/notes/1")
    assert (response.status_code, await response.get_json()) == (404, {"error": "no note 1"})


async def test_methods_of_a_method_view(client):
    response = await client.put("/notes/api/notes")
    assert response.status_code == 405
    response = await client.options("/notes/api/notes")
    assert set(response.allow) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert (await client.head("/notes/api/notes")).status_code == 200


async def test_a_view_class_made_twice(client, notes):
    assert await (await client.get("/notes/api/search?q=Sec")).get_json() == {"found": [2], "method": "GET"}
    assert await (await client.get("/notes/api/search/text?q=text")).get_json() == {"found": [1, 3], "method": "GET"}
    response = await client.open("/notes/api/search?q=T", method="QUERY")
    assert await response.get_json() == {"found": [3], "method": "QUERY"}
    assert (await client.options("/notes/api/search")).status_code == 405


async def test_where_one_is(client):
    assert await (await client.get("/notes/api/endpoint")).get_json() == {
        "endpoint": "notes.api.endpoint",
        "blueprint": "notes.api",
        "blueprints": ["notes.api", "notes"],
        "rule": "/notes/api/endpoint",
        "args": {},
        "sibling": "/notes/api/search?q=x+y#top",
        "parent": "/notes/",
    }
    seen = await (await client.get("/notes/api/v2/endpoint")).get_json()
    assert (seen["endpoint"], seen["sibling"]) == ("notes.api_v2.endpoint", "/notes/api/v2/search?q=x+y#top")


async def test_errors_of_the_inner_blueprint_come_first(client):
    assert await (await client.get("/notes/api/notes/5")).get_json() == {"error": "no note 5"}
