"""Notes: pages, forms, and an API as a blueprint inside of the blueprint."""

from __future__ import annotations

from quart import (
    Blueprint,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from quart.cli import with_appcontext

from ..auth import login_required
from ..signals import note_added
from ..storage import NoSuchNote
from .api import api

notes = Blueprint(
    "notes",
    __name__,
    url_prefix="/notes",
    template_folder="templates",
    static_folder="static",
    static_url_path="/assets",
    url_defaults={"edition": "first"},
)
notes.register_blueprint(api)
notes.register_blueprint(api, name="api_v2", url_prefix="/api/v2")


@notes.url_defaults
def say_who_asks(endpoint, values):
    if current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values.setdefault("lang", g.get("lang", "en"))


@notes.url_value_preprocessor
def take_the_language(endpoint, values):
    if values is not None:
        g.lang = values.pop("lang", "en")
        g.edition = values.pop("edition", None)


@notes.before_request
async def begin():
    g.trail = [*g.get("trail", []), "notes.before"]
    if request.args.get("maintenance"):
        return "under maintenance", 503
    return None


@notes.after_request
async def end(response):
    response.headers.add("X-Trail", "notes.after")
    response.headers["X-Before"] = ",".join(g.get("trail", []))
    return response


@notes.teardown_request
async def teardown(error):
    current_app.torn_down.append(("notes", type(error).__name__))


@notes.errorhandler(NoSuchNote)
async def no_such_note(error):
    return await render_template("notes/missing.html", number=error.number), 404


@notes.errorhandler(404)
async def not_found(error):
    return f"no such page of notes: {error.description}", 404


@notes.context_processor
def words():
    return {"kind": "note"}


@notes.app_template_filter("shorten")
def shorten(text, length=10):
    return text if len(text) <= length else text[: length - 1] + "…"


@notes.app_template_test("long")
def is_long(text):
    return len(text) > 10


@notes.app_template_global("plural")
def plural(count, word):
    return f"{count} {word}" + ("" if count == 1 else "s")


@notes.route("/", defaults={"page": 1})
@notes.route("/page/<int:page>")
async def index(page):
    size = current_app.config["PAGE_SIZE"]
    shown = list(current_app.store.notes.values())[(page - 1) * size : page * size]
    return await render_template("notes/index.html", notes=shown, page=page)


@notes.route("/<int:number>")
async def show(number):
    note = current_app.store.get(number)
    return await render_template("notes/show.html", note=note)


@notes.get("/<lang>/hello")
async def hello():
    return {"lang": g.lang, "edition": g.edition, "again": url_for(".hello"), "german": url_for(".hello", lang="de")}


@notes.get("/fragment/<int:number>")
async def fragment(number):
    cards = await current_app.jinja_env.get_template("macros/cards.html").make_module_async()
    return await cards.card(current_app.store.get(number))


@notes.post("/")
@login_required
async def add():
    form = await request.form
    if not form["title"].strip():
        await flash("A note needs a title.", "error")
        return redirect(url_for(".index"))
    note = current_app.store.add(form["title"], form.get("text", ""), g.user, set(form.getlist("tag")))
    await note_added.send_async(current_app._get_current_object(), note=note)

    @after_this_request
    async def tell(response):
        response.headers["X-Note"] = str(note.id)
        return response

    return redirect(url_for(".show", number=note.id), code=303)


@notes.route("/tags/<list:tags>")
def by_tags(tags):
    found = [note.title for note in current_app.store.notes.values() if note.tags & set(tags)]
    return {"found": found, "url": url_for("notes.by_tags", tags=[*tags, "a b"])}


@notes.route("/even/<even(limit=10):number>")
async def even(number):
    return {"number": number}


@notes.route("/gone")
async def gone():
    abort(410, "It was here.")


@notes.route("/missing")
async def missing():
    abort(404, "never was")


@notes.record
def remember(state):
    seen = state.app.extensions.setdefault("board", [])
    seen.append((state.blueprint.name, state.url_prefix, state.first_registration))


@notes.record_once
def remember_once(state):
    state.app.config.setdefault("RECORDED_ONCE", 0)
    state.app.config["RECORDED_ONCE"] += 1


@notes.cli.command("count")
@with_appcontext
def count():
    """Says how many notes there are."""
    print(f"{len(current_app.store.notes)} notes")
