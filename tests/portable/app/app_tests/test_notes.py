"""Notes: a blueprint with templates, static files, functions, and a blueprint inside."""

from __future__ import annotations

import pytest
from board.signals import note_added
from helpers import text
from quart import url_for

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_the_list_of_notes_is_paged(client, notes):
    page = await text(await client.get("/notes/"))
    assert "<h1>2 notes on page 1</h1>" in page
    assert '<a href="/notes/1">First note</a>' in page
    assert '<a href="/notes/page/2">more</a> <img src="/notes/assets/pin.txt">' in page
    assert "<h1>1 note on page 2</h1>" in await text(await client.get("/notes/page/2"))
    assert "nothing" in await text(await client.get("/notes/page/3"))


async def test_the_first_page_has_one_address(client):
    response = await client.get("/notes/page/1")
    assert (response.status_code, response.location) == (308, "http://localhost/notes/")


async def test_a_note(client, notes):
    page = await text(await client.get("/notes/3"))
    assert '<div id="note-3">Third &lt;i&gt;t…</div> <b>Third</b> long' in page


async def test_a_note_that_is_missing_is_the_blueprints_affair(client):
    response = await client.get("/notes/3")
    assert (response.status_code, await text(response)) == (404, "no note 3, says note to nobody")
    response = await client.get("/notes/missing")
    assert (response.status_code, await text(response)) == (404, "no such page of notes: never was")
    response = await client.get("/notes/no/such/rule")
    assert (response.status_code, await response.get_json()) == (404, {"code": 404, "name": "Not Found"})


async def test_an_error_of_one_blueprint_is_handled_for_the_app_by_another(client):
    response = await client.get("/notes/gone")
    assert (response.status_code, await text(response)) == (
        410,
        "gone for good: It was here. (path /notes/gone, user None)",
    )


async def test_functions_nest(client, notes, app):
    response = await client.get("/notes/1")
    assert response.headers["X-Before"] == "app.before,app.thread,notes.before"
    assert response.headers.getlist("X-Trail") == ["notes.after", "app.after"]
    assert app.torn_down == [("notes", "NoneType"), ("request", "NoneType"), ("context", "NoneType")]
    response = await client.get("/notes/api/notes")
    assert response.headers["X-Before"] == "app.before,app.thread,notes.before,api.before"
    assert response.headers.getlist("X-Trail") == ["api.after", "notes.after", "app.after"]


async def test_a_blueprints_before_function_answers(client):
    response = await client.get("/notes/?maintenance=1")
    assert (response.status_code, await text(response)) == (503, "under maintenance")
    assert response.headers.getlist("X-Trail") == ["notes.after", "app.after"]


async def test_values_of_urls_are_taken_and_given(client):
    seen = await (await client.get("/notes/de/hello")).get_json()
    assert seen == {"lang": "de", "edition": "first", "again": "/notes/de/hello", "german": "/notes/de/hello"}
    seen = await (await client.get("/notes/fr/hello")).get_json()
    assert seen["again"] == "/notes/fr/hello"


async def test_a_macro_is_called_from_a_view(client, notes):
    assert await text(await client.get("/notes/fragment/1")) == '<div id="note-1">First note the …</div>'


async def test_a_note_is_added(member, app):
    heard = []

    async def listen(sender, note):
        heard.append((sender, note.title))

    note_added.connect(listen, app)
    response = await member.post("/notes/", data="title=New&text=t&tag=b&tag=a", headers=FORM)
    assert (response.status_code, response.location, response.headers["X-Note"]) == (303, "/notes/1", "1")
    assert heard == [(app, "New")]
    note = app.store.get(1)
    assert (note.author, note.tags) == ("ada", {"a", "b"})
    followed = await member.post("/notes/", form={"title": "Other"}, follow_redirects=True)
    assert '<div id="note-2">Other ' in await text(followed)


async def test_a_note_needs_a_title(member):
    response = await member.post("/notes/", form={"title": " "}, follow_redirects=True)
    assert '<p class="error">A note needs a title.</p>' in await text(response)
    assert "A note needs a title." not in await text(await member.get("/notes/"))


async def test_a_field_that_is_missing_is_a_bad_request(member):
    response = await member.post("/notes/", form={"text": "t"})
    assert (response.status_code, await response.get_json()) == (400, {"code": 400, "name": "Bad Request"})


async def test_a_view_that_wants_a_login(client):
    response = await client.post("/notes/", form={"title": "t"})
    assert (response.status_code, response.location) == (302, "/auth/login?next=/notes/?")
    response = await client.get(response.location)
    assert await text(response) == "[warning] Please log in.\nLog in, stranger: /notes/?"


async def test_converters(client, notes):
    response = await client.get("/notes/tags/green+blue")
    assert await response.get_json() == {"found": ["Second"], "url": "/notes/tags/green+blue+a%20b"}
    assert await (await client.get("/notes/even/4")).get_json() == {"number": 4}
    assert (await client.get("/notes/even/5")).status_code == 404
    assert (await client.get("/notes/even/12")).status_code == 404


async def test_static_files_of_a_blueprint(client, app):
    response = await client.get("/notes/assets/pin.txt")
    assert (await text(response), response.cache_control.max_age) == ("of the notes\n", 7)
    async with app.test_request_context("/"):
        assert url_for("notes.static", filename="pin.txt") == "/notes/assets/pin.txt"


async def test_what_a_blueprint_recorded(app):
    assert app.extensions["board"] == [("notes", "/notes", True)]
    assert app.config["RECORDED_ONCE"] == 1
    assert set(app.blueprints) == {
        "auth", "notes", "notes.api", "notes.api_v2", "files", "live", "admin", "quiet",
    }  # fmt: skip
    assert app.blueprints["notes"].has_static_folder
    assert next(iter(app.iter_blueprints())).name == "auth"


async def test_a_blueprint_registered_twice_needs_a_name(app):
    from board.admin import admin

    with pytest.raises(ValueError, match="admin"):
        app.register_blueprint(admin)
    app.register_blueprint(admin, name="again", url_prefix="/again")
    response = await app.test_client().get("/again/", headers={"X-Token": "letmein"})
    assert "admin False" in await text(response)


async def test_the_admins_pages(client, app):
    response = await client.get("/admin/")
    assert (response.status_code, await response.get_json()) == (
        403,
        {"error": "no token", "class": "StillForbidden"},
    )
    response = await client.get("/admin/", headers={"X-Token": "letmein"})
    assert (response.status_code, "admin False" in await text(response)) == (200, True)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = await client.get("/admin/fails", headers={"X-Token": "letmein"})
    assert await response.get_json() == {"error": 'RuntimeError("of the admin\'s page")', "code": 500}
