"""quart-wtforms (imported as quart_wtf): forms of a request, CSRF protection, files."""

import re
from io import BytesIO

from quart import Blueprint, Quart, render_template_string, request
from quart.datastructures import FileStorage
from quart_wtf import CSRFProtect, QuartForm
from quart_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import StringField
from wtforms.validators import DataRequired


class NameForm(QuartForm):
    name = StringField("name", validators=[DataRequired()])


class FileForm(QuartForm):
    upload = FileField("upload", validators=[FileRequired(), FileAllowed(["txt"], "text only")])


def make_app(**settings):
    app = Quart("forms")
    app.config.update(SECRET_KEY="a secret", **settings)

    @app.route("/", methods=["GET", "POST"])
    async def index():
        form = await NameForm.create_form()
        if await form.validate_on_submit():
            return f"hello {form.name.data}"
        return await render_template_string("{{ form.csrf_token }}{{ form.name() }}{{ form.errors }}", form=form)

    @app.post("/file")
    async def file():
        form = await FileForm.create_form()
        if await form.validate_on_submit():
            return {"content": form.upload.data.read().decode(), "name": form.upload.data.filename}
        return form.errors, 400

    return app


def token_in(text):
    return re.search(r'value="([^"]+)"', text)[1]


async def test_a_form_with_csrf():
    client = make_app().test_client()
    page = await (await client.get("/")).get_data(as_text=True)
    response = await client.post("/", form={"name": "Ada", "csrf_token": token_in(page)})
    assert await response.get_data(as_text=True) == "hello Ada"
    response = await client.post("/", form={"name": "Ada"})
    assert "CSRF" in await response.get_data(as_text=True)
    response = await client.post("/", form={"name": "", "csrf_token": token_in(page)})
    assert "required" in await response.get_data(as_text=True)


async def test_files():
    client = make_app(WTF_CSRF_ENABLED=False).test_client()
    response = await client.post("/file", files={"upload": FileStorage(BytesIO(b"content"), filename="a.txt")})
    assert await response.get_json() == {"content": "content", "name": "a.txt"}
    response = await client.post("/file", files={"upload": FileStorage(BytesIO(b"content"), filename="a.exe")})
    assert (response.status_code, await response.get_json()) == (400, {"upload": ["text only"]})


async def test_protection_of_the_whole_app():
    app = make_app()
    csrf = CSRFProtect(app)

    @app.post("/plain")
    async def plain():
        return "plain"

    @app.post("/exempt")
    @csrf.exempt
    async def exempt():
        return (await request.get_data()).decode()

    @app.get("/token")
    async def token():
        return await render_template_string('value="{{ csrf_token() }}"')

    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @blueprint.post("/")
    async def of_blueprint():
        return "bp"

    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
    client = app.test_client()
    assert (await client.post("/plain")).status_code == 400
    assert (await client.post("/exempt", data=b"fine")).status_code == 200
    assert (await client.post("/bp/")).status_code == 200
    token_ = token_in(await (await client.get("/token")).get_data(as_text=True))
    response = await client.post("/plain", headers={"X-CSRFToken": token_})
    assert await response.get_data(as_text=True) == "plain"
    response = await client.post("/plain", form={"csrf_token": token_})
    assert response.status_code == 200
