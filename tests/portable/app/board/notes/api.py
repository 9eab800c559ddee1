"""The API: class-based views, errors as JSON."""

from __future__ import annotations

from quart import Blueprint, Response, current_app, g, jsonify, make_response, request, url_for
from quart.views import MethodView, View

from ..storage import NoSuchNote

api = Blueprint("api", __name__, url_prefix="/api")


@api.before_request
def begin():
    g.trail = [*g.get("trail", []), "api.before"]


@api.after_request
def end(response):
    response.headers.add("X-Trail", "api.after")
    return response


@api.errorhandler(NoSuchNote)
def no_such_note(error):
    return jsonify(error=f"no note {error.number}"), 404


@api.errorhandler(400)
async def bad_request(error):
    return {"error": error.name, "why": error.description}, 400


def counted(view):
    async def wrapper(*args, **kwargs):
        response = await make_response(await current_app.ensure_async(view)(*args, **kwargs))
        response.headers["X-Counted"] = "yes"
        return response

    return wrapper


class Notes(MethodView):
    decorators = [counted]

    async def get(self, **kwargs):
        return jsonify(list(current_app.store.notes.values()))

    async def post(self, **kwargs):
        data = await request.get_json()
        note = current_app.store.add(data["title"], data.get("text", ""), tags=set(data.get("tags", ())))
        return note_as_json(note), 201, {"Location": url_for(".note", number=note.id, _external=True)}


class OneNote(MethodView):
    init_every_request = False

    def __init__(self, made):
        self.made = made
        self.calls = 0

    async def get(self, number, **kwargs):
        self.calls += 1
        response = jsonify(note_as_json(current_app.store.get(number)))
        response.headers["X-Calls"] = f"{self.made}:{self.calls}"
        await response.add_etag()
        return await response.make_conditional(request)

    def delete(self, number, **kwargs):
        current_app.store.get(number)
        del current_app.store.notes[number]
        return "", 204

    async def patch(self, number, **kwargs):
        note = current_app.store.get(number)
        data = await request.get_json(force=True, silent=True)
        if data is None:
            return Response("not JSON", status=415)
        note.title = data.get("title", note.title)
        return note_as_json(note)


class Search(View):
    methods = ["GET", "QUERY"]
    provide_automatic_options = False

    def __init__(self, field):
        self.field = field

    def dispatch_request(self, **kwargs):
        word = request.args.get("q", type=str, default="")
        found = [note.id for note in current_app.store.notes.values() if word in getattr(note, self.field)]
        return {"found": found, "method": request.method}


def note_as_json(note):
    return {"id": note.id, "title": note.title, "tags": note.tags, "price": note.price}


api.add_url_rule("/notes", view_func=Notes.as_view("notes"))
api.add_url_rule("/notes/<int:number>", view_func=OneNote.as_view("note", "once"))
api.add_url_rule("/search", view_func=Search.as_view("search", field="title"))
api.add_url_rule("/search/text", view_func=Search.as_view("search_text", field="text"))


@api.route("/whole/<int:number>")
async def whole(number, **kwargs):
    """The provider knows notes."""
    return jsonify(note=current_app.store.get(number))


@api.route("/endpoint")
def endpoint(**kwargs):
    return {
        "endpoint": request.endpoint,
        "blueprint": request.blueprint,
        "blueprints": request.blueprints,
        "rule": request.url_rule.rule,
        "args": request.view_args,
        "sibling": url_for(".search", q="x y", _anchor="top"),
        "parent": url_for("notes.index"),
    }
