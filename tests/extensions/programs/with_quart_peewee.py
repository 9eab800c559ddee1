"""quart-peewee: a database for as long as the app serves, and in `g`."""

from peewee import CharField
from quart import Quart, g, request
from quart_peewee import QuartPeewee


async def test_rows(tmp_path):
    app = Quart("peewee_program")
    db = QuartPeewee(f"aiosqlite:///{tmp_path / 'app.db'}")
    db.init_app(app)

    class User(db.Model):
        name = CharField(unique=True)

    @app.before_serving
    async def before_serving():
        await db.create_tables()

    @app.post("/users")
    async def create():
        await User.create(name=(await request.get_json())["name"])
        return {"same": g.database is db}

    @app.get("/users")
    async def users():
        return await User.select().dicts()

    async with app.test_app() as test_app:
        client = test_app.test_client()
        response = await client.post("/users", json={"name": "ada"})
        assert await response.get_json() == {"same": True}
        assert await (await client.get("/users")).get_json() == [{"id": 1, "name": "ada"}]
