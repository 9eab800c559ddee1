"""quart-authlib: logging in over OAuth 2; what the provider answers is written here."""

import json
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from quart import Quart, redirect, session, url_for
from quart_authlib import OAuth

ANSWERS = {
    "/token": {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600},
    "/user": {"name": "Ada"},
}


def answer(self, asked, **options):
    response = requests.Response()
    response.status_code = 200
    response._content = json.dumps(
        ANSWERS[urlsplit(asked.url).path] | {"authorization": asked.headers.get("Authorization")}
    ).encode()
    return response


async def test_logging_in():
    app = Quart("authlib_program")
    app.secret_key = "a secret"
    app.config.update(DEV_CLIENT_ID="id", DEV_CLIENT_SECRET="secret")
    oauth = OAuth(app)
    oauth.register(
        "dev",
        access_token_url="https://provider.example/token",
        authorize_url="https://provider.example/authorize",
        api_base_url="https://provider.example/",
    )

    @app.get("/login")
    async def login():
        return oauth.dev.authorize_redirect(url_for("back", _external=True))

    @app.get("/back")
    async def back():
        await oauth.dev.authorize_access_token()
        session["user"] = oauth.dev.get("user").json()
        return redirect(url_for("me"))

    @app.get("/me")
    async def me():
        return session["user"]

    client = app.test_client()
    response = await client.get("/login")
    assert response.status_code == 302
    asked = urlsplit(response.location)
    assert (asked.netloc, asked.path) == ("provider.example", "/authorize")
    values = {name: value[0] for name, value in parse_qs(asked.query).items()}
    assert (values["client_id"], values["redirect_uri"]) == ("id", "http://localhost/back")
    with mock.patch.object(requests.Session, "send", answer):
        response = await client.get(f"/back?code=a-code&state={values['state']}", follow_redirects=True)
    assert await response.get_json() == {"name": "Ada", "authorization": "Bearer a-token"}
