"""An example for each group of hooks, by the group's heading in quart_plug/hooks/specs.

Shown, and run, in docs/reference/hooks.md.

Each is Python that may `await` and stands for itself, but for the names of the first one.
"""

from __future__ import annotations

EXAMPLES = {
    "Set-up": '''
from quart_plug import Blueprint, Quart, hookimpl


class Guestbook:
    """Brings its own pages."""

    @hookimpl
    def configuration_defaults(self, app):
        return {"GUESTBOOK_TITLE": "Guests"}

    @hookimpl
    def blueprints(self, app):
        pages = Blueprint("guestbook", __name__)

        @pages.get("/")
        async def index():
            return app.config["GUESTBOOK_TITLE"]

        return [(pages, {"url_prefix": "/guests"})]


app = Quart(__name__, plugins=[Guestbook()])
response = await app.test_client().get("/guests/")
assert await response.get_data(as_text=True) == "Guests"
''',
    "Slots": '''
import json


class Sorted:
    """JSON with sorted keys and nothing else."""

    def __init__(self, app):
        self.app = app

    def dumps(self, obj, **options):
        return json.dumps(obj, sort_keys=True)

    def loads(self, text, **options):
        return json.loads(text)

    def response(self, *args, **kwargs):
        return self.app.response_class(self.dumps(args[0] if args else kwargs), mimetype="application/json")


class SortedJSON:
    @hookimpl
    def json_provider(self, app):
        return Sorted(app)


app = Quart(__name__, plugins=[SortedJSON()])
assert app.json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'
''',
    "Serving": '''
class Pool:
    """A pool of connections that is there as long as the application serves."""

    @hookimpl
    async def lifespan(self, app):
        app.extensions["pool"] = "open"
        yield
        app.extensions["pool"] = "closed"


app = Quart(__name__, plugins=[Pool()])
async with app.test_app():
    assert app.extensions["pool"] == "open"
assert app.extensions["pool"] == "closed"
''',
    "Every connection": '''
class Moved:
    """Tells where things went; for requests and websockets alike."""

    @hookimpl
    async def route_unmatched(self, ctx, error):
        if ctx.request_websocket.path == "/old":
            return "It is at /new now.", 410


app = Quart(__name__, plugins=[Moved()])
assert (await app.test_client().get("/old")).status_code == 410
assert (await app.test_client().get("/nowhere")).status_code == 404
''',
    "Requests": '''
class Signed:
    """A header for each response."""

    @hookimpl
    async def request_after(self, ctx, response):
        response.headers["x-served-by"] = ctx.app.name


app = Quart("shop", plugins=[Signed()])
assert (await app.test_client().get("/")).headers["x-served-by"] == "shop"
''',
    "Websockets": '''
from quart_plug import websocket
from quart_plug.exceptions import MessageDropped, MessageRefused


class Polite:
    """Changes, drops and refuses messages before the view sees them."""

    @hookimpl
    async def websocket_received(self, ctx, message):
        if message == "":
            raise MessageDropped
        if len(message) > 100:
            raise MessageRefused("shorter, please")
        return message.capitalize()


app = Quart(__name__, plugins=[Polite()])


@app.websocket("/echo")
async def echo():
    async for message in websocket:
        await websocket.send(message)


async with app.test_client().websocket("/echo") as connection:
    await connection.send("")
    await connection.send("hello")
    assert await connection.receive() == "Hello"
''',
    "Serialization": '''
import pickle  # only to have something that is not JSON: never load what a client sends with it


class Pickled:
    media_types = ("application/x-pickle",)
    subprotocol = None

    def dumps(self, obj):
        return pickle.dumps(obj)

    def loads(self, data):
        raise ValueError("not from a client")


class Pickles:
    @hookimpl
    def content_types(self, app):
        return [Pickled()]


app = Quart(__name__, plugins=[Pickles()])


@app.get("/")
async def numbers():
    return [1, 2, 3]


client = app.test_client()
assert await (await client.get("/")).get_data() == b"[1,2,3]\\n"
response = await client.get("/", headers={"accept": "application/x-pickle"})
assert pickle.loads(await response.get_data()) == [1, 2, 3]
assert response.headers["vary"] == "Accept"
''',
    "Templates": '''
from quart_plug import render_template_string


class Shouting:
    @hookimpl
    def template_filters(self, app):
        return {"shout": lambda text: f"{text.upper()}!"}


app = Quart(__name__, plugins=[Shouting()])
async with app.app_context():
    assert await render_template_string("{{ 'hello' | shout }}") == "HELLO!"
''',
    "Background tasks": '''
class Counting:
    finished = 0

    @hookimpl
    async def background_finished(self, app, task):
        self.finished += 1


counting = Counting()
app = Quart(__name__, plugins=[counting])


async def send_mail():
    pass


async with app.test_app():
    app.add_background_task(send_mail)
assert counting.finished == 1
''',
    "The rest": '''
from quart_plug import flash


class Loud:
    heard = []

    @hookimpl
    async def message_flashed(self, app, message, category):
        self.heard.append((category, message))


app = Quart(__name__, plugins=[Loud()])
app.secret_key = "secret"


@app.get("/")
async def save():
    await flash("Saved.", "info")
    return "done"


await app.test_client().get("/")
assert Loud.heard == [("info", "Saved.")]
''',
}
