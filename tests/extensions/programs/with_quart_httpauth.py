"""quart-httpauth: basic, digest and token authentication."""

from quart import Quart
from quart_httpauth import HTTPBasicAuth, HTTPDigestAuth, HTTPTokenAuth, MultiAuth
from werkzeug.datastructures import Authorization


def make_app():
    app = Quart("httpauth_program")
    app.secret_key = "a secret"
    basic, token, digest = HTTPBasicAuth(), HTTPTokenAuth("Bearer"), HTTPDigestAuth()
    multi = MultiAuth(basic, token)

    @basic.verify_password
    async def verify_password(name, password):
        return name if (name, password) == ("susan", "hunter2") else None

    @token.verify_token
    def verify_token(value):
        return {"token-1": "john"}.get(value)

    @basic.get_user_roles
    async def roles(user):
        return ["reader"]

    @digest.get_password
    def get_password(name):
        return "bye" if name == "susan" else None

    @app.get("/basic")
    @basic.login_required
    async def with_basic():
        return f"hello {basic.current_user()}"

    @app.get("/admin")
    @basic.login_required(role="admin")
    async def admin():
        return "admin"

    @app.get("/maybe")
    @basic.login_required(optional=True)
    async def maybe():
        return f"hello {basic.current_user() or 'anonymous'}"

    @app.get("/multi")
    @multi.login_required
    async def with_multi():
        return f"hello {multi.current_user()}"

    @app.get("/digest")
    @digest.login_required
    async def with_digest():
        return "digest"

    return app


async def test_basic():
    client = make_app().test_client()
    response = await client.get("/basic")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (
        401,
        'Basic realm="Authentication Required"',
    )
    response = await client.get("/basic", auth=("susan", "hunter2"))
    assert await response.get_data(as_text=True) == "hello susan"
    assert (await client.get("/basic", auth=("susan", "wrong"))).status_code == 401
    assert (await client.get("/admin", auth=("susan", "hunter2"))).status_code == 403
    assert await (await client.get("/maybe")).get_data(as_text=True) == "hello anonymous"


async def test_tokens_beside_passwords():
    client = make_app().test_client()
    response = await client.get("/multi", headers={"Authorization": "Bearer token-1"})
    assert await response.get_data(as_text=True) == "hello john"
    response = await client.get("/multi", auth=Authorization("basic", {"username": "susan", "password": "hunter2"}))
    assert await response.get_data(as_text=True) == "hello susan"
    assert (await client.get("/multi", headers={"Authorization": "Bearer no"})).status_code == 401


async def test_digest_asks_and_keeps_its_nonce_in_the_session():
    response = await make_app().test_client().get("/digest")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Digest ")
    assert "nonce=" in response.headers["WWW-Authenticate"]
    assert "session=" in response.headers["Set-Cookie"]
