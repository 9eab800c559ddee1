"""quart-jwt-extended: tokens in headers and cookies, fresh and refresh tokens, CSRF, revoked tokens, claims."""

from quart import Quart, jsonify, request
from quart_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    fresh_jwt_required,
    get_jwt_claims,
    get_jwt_identity,
    jwt_optional,
    jwt_refresh_token_required,
    jwt_required,
    set_access_cookies,
    unset_jwt_cookies,
)


def make_app(**settings):
    app = Quart("jwt_program")
    app.config.update(JWT_SECRET_KEY="a secret key that is long enough", **settings)
    manager = JWTManager(app)

    @manager.user_claims_loader
    def claims(identity):
        return {"length": len(identity)}

    @app.post("/login")
    async def login():
        name = (await request.get_json())["name"]
        return jsonify(access=create_access_token(name, fresh=True), refresh=create_refresh_token(name))

    @app.post("/cookies")
    async def cookies():
        response = jsonify(login=True)
        set_access_cookies(response, create_access_token("ada"))
        return response

    @app.post("/logout")
    async def logout():
        response = jsonify(login=False)
        unset_jwt_cookies(response)
        return response

    @app.post("/refresh")
    @jwt_refresh_token_required
    async def refresh():
        return jsonify(access=create_access_token(get_jwt_identity(), fresh=False))

    @app.route("/me", methods=["GET", "POST"])
    @jwt_required
    async def me():
        return jsonify(name=get_jwt_identity(), claims=get_jwt_claims())

    @app.get("/fresh")
    @fresh_jwt_required
    async def fresh():
        return "fresh"

    @app.get("/optional")
    @jwt_optional
    async def optional():
        return get_jwt_identity() or "nobody"

    return app


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_tokens_in_headers():
    client = make_app().test_client()
    response = await client.get("/me")
    assert (response.status_code, await response.get_json()) == (401, {"msg": "Missing Authorization Header"})
    tokens = await (await client.post("/login", json={"name": "ada"})).get_json()
    response = await client.get("/me", headers=bearer(tokens["access"]))
    assert await response.get_json() == {"name": "ada", "claims": {"length": 3}}
    assert await (await client.get("/fresh", headers=bearer(tokens["access"]))).get_data() == b"fresh"
    assert await (await client.get("/optional")).get_data() == b"nobody"
    assert (await client.get("/me", headers=bearer(tokens["refresh"]))).status_code == 422
    again = await (await client.post("/refresh", headers=bearer(tokens["refresh"]))).get_json()
    assert (await client.get("/me", headers=bearer(again["access"]))).status_code == 200
    assert (await client.get("/fresh", headers=bearer(again["access"]))).status_code == 401
    assert (await client.get("/me", headers=bearer("nonsense"))).status_code == 422


async def test_tokens_in_cookies_with_csrf():
    client = make_app(JWT_TOKEN_LOCATION=["cookies"]).test_client()
    response = await client.post("/cookies")
    values = dict(cookie.split(";")[0].split("=", 1) for cookie in response.headers.getlist("Set-Cookie"))
    assert set(values) == {"access_token_cookie", "csrf_access_token"}
    assert (await (await client.get("/me")).get_json())["name"] == "ada"
    assert (await client.post("/me")).status_code == 401
    response = await client.post("/me", headers={"X-CSRF-TOKEN": values["csrf_access_token"]})
    assert response.status_code == 200
    await client.post("/logout")
    assert (await client.get("/me")).status_code == 401


async def test_expired_tokens():
    client = make_app(JWT_ACCESS_TOKEN_EXPIRES=-10).test_client()
    tokens = await (await client.post("/login", json={"name": "ada"})).get_json()
    response = await client.get("/me", headers=bearer(tokens["access"]))
    assert (response.status_code, await response.get_json()) == (401, {"msg": "Token has expired"})
