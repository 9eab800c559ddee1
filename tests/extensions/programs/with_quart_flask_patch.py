"""quart-flask-patch, with Flask-SQLAlchemy, Flask-WTF and Flask-Bcrypt on top of a Quart app."""

import quart_flask_patch  # isort: skip - first of all, as its documentation demands

import flask
from flask_bcrypt import Bcrypt
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from quart import Blueprint, Quart, g, redirect, render_template_string, request, session, url_for
from wtforms import StringField
from wtforms.validators import DataRequired

assert quart_flask_patch

db = SQLAlchemy()
bcrypt = Bcrypt()


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), unique=True)
    password = db.Column(db.String(80))


class NameForm(FlaskForm):
    name = StringField("name", validators=[DataRequired()])


def make_app() -> Quart:
    app = Quart("patched")
    app.config.update(SECRET_KEY="a secret", SQLALCHEMY_DATABASE_URI="sqlite:///:memory:")
    db.init_app(app)
    bcrypt.init_app(app)

    @app.post("/login")
    async def log_in():
        form = await request.form
        user = db.session.execute(db.select(User).filter_by(name=form["name"])).scalar_one_or_none()
        if user is None or not bcrypt.check_password_hash(user.password, form["password"]):
            return "no", 403
        session["user"] = user.id
        return redirect(url_for("me"))

    @app.get("/me")
    async def me():
        return f"hello {db.session.get(User, session['user']).name}"

    @app.post("/name")
    async def name():
        form = NameForm()
        if form.validate_on_submit():
            return f"name {form.name.data}"
        return {"errors": form.errors}, 400

    blueprint = Blueprint("bp", __name__)

    @blueprint.get("/users")
    async def users():
        return {"users": [user.name for user in User.query.order_by(User.name)]}

    app.register_blueprint(blueprint)
    return app


async def add_users(app):
    async with app.app_context():
        db.create_all()
        for name in ("grace", "ada"):
            db.session.add(User(name=name, password=bcrypt.generate_password_hash(f"pw-{name}").decode()))
        db.session.commit()


async def test_flask_names_are_quarts():
    app = Quart("names")

    @app.get("/")
    async def index():
        flask.g.name = "g"
        flask.session["seen"] = 1
        return {
            "app": flask.current_app.name,
            "path": flask.request.path,
            "g": g.name,
            "session": session["seen"],
            "url": flask.url_for("index"),
        }

    app.secret_key = "a secret"
    response = await app.test_client().get("/")
    assert await response.get_json() == {"app": "names", "path": "/", "g": "g", "session": 1, "url": "/"}


async def test_synchronous_request_body():
    app = Quart("sync_body")

    @app.post("/")
    async def index():
        return {"form": dict(flask.request.form), "data": len(flask.request.get_data())}

    response = await app.test_client().post("/", form={"a": "1"})
    assert await response.get_json() == {"form": {"a": "1"}, "data": 3}


async def test_log_in_and_database():
    app = make_app()
    await add_users(app)
    client = app.test_client()
    response = await client.post("/login", form={"name": "ada", "password": "wrong"})
    assert response.status_code == 403
    response = await client.post("/login", form={"name": "ada", "password": "pw-ada"}, follow_redirects=True)
    assert await response.get_data(as_text=True) == "hello ada"
    response = await client.get("/users")
    assert await response.get_json() == {"users": ["ada", "grace"]}


async def test_forms_with_and_without_csrf():
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    response = await client.post("/name", form={"name": "Ada"})
    assert await response.get_data(as_text=True) == "name Ada"
    response = await client.post("/name", form={})
    assert await response.get_json() == {"errors": {"name": ["This field is required."]}}

    app.config["WTF_CSRF_ENABLED"] = True
    CSRFProtect(app)

    @app.get("/token")
    async def token():
        return await render_template_string("{{ csrf_token() }}")

    assert (await client.post("/name", form={"name": "Ada"})).status_code == 400
    token_ = await (await client.get("/token")).get_data(as_text=True)
    response = await client.post("/name", form={"name": "Ada", "csrf_token": token_})
    assert (response.status_code, await response.get_data(as_text=True)) == (200, "name Ada")


async def test_a_plain_view_function_runs():
    app = Quart("plain")

    @app.before_request
    def before():
        flask.g.seen = ["before"]

    @app.get("/")
    def index():
        return {"seen": flask.g.seen}

    response = await app.test_client().get("/")
    assert await response.get_json() == {"seen": ["before"]}
