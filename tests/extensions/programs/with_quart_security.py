"""quart-security: registering, logging in and out, roles, changing a password, CSRF, signals; SQLAlchemy beneath."""

import re

import pytest
from quart import Quart
from quart_security import (
    RoleMixin,
    Security,
    SecurityState,
    SQLAlchemyUserDatastore,
    UserMixin,
    auth_required,
    current_user,
    hash_password,
    roles_required,
    url_for_security,
    user_authenticated,
)
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, Table
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, relationship


class Base(DeclarativeBase):
    pass


roles_of_users = Table(
    "roles_of_users",
    Base.metadata,
    Column("user_id", ForeignKey("user.id")),
    Column("role_id", ForeignKey("role.id")),
)


class Role(Base, RoleMixin):
    __tablename__ = "role"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), unique=True)
    description = Column(String(255))


class User(Base, UserMixin):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    email = Column(String(255), unique=True)
    password = Column(String(255))
    active = Column(Boolean, default=True)
    fs_uniquifier = Column(String(64), unique=True)
    last_login_at = Column(DateTime)
    current_login_at = Column(DateTime)
    last_login_ip = Column(String(64))
    current_login_ip = Column(String(64))
    login_count = Column(Integer, default=0)
    failed_login_count = Column(Integer, default=0)
    locked_until = Column(DateTime)
    roles = relationship("Role", secondary=roles_of_users, lazy="selectin")


@pytest.fixture
async def app(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'users.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.run_sync(SecurityState.metadata.create_all)
    app = Quart("security_program")
    app.config.update(
        SECRET_KEY="a secret that is long enough for signing things",
        SECURITY_REGISTERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_PASSWORD_BREACH_CHECK=False,
        SECURITY_COOKIE_SECURE=False,
        SECURITY_TWO_FACTOR=False,
        SECURITY_WEBAUTHN=False,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=False,
        SECURITY_POST_LOGIN_VIEW="/me",
        SECURITY_ARGON2_MEMORY_COST=1024,
        SECURITY_ARGON2_TIME_COST=1,
    )
    make_session = async_sessionmaker(engine, expire_on_commit=False)
    datastore = SQLAlchemyUserDatastore(make_session, User, Role)
    Security(app, datastore)

    @app.get("/me")
    @auth_required("session")
    async def me():
        return f"hello {current_user.email}"

    @app.get("/admin")
    @auth_required("session")
    @roles_required("admin")
    async def admin():
        return "admin"

    @app.get("/urls")
    async def urls():
        return [url_for_security("login"), url_for_security("logout")]

    async with make_session() as session:
        role = Role(name="admin")
        for name, roles in (("ada", [role]), ("grace", [])):
            session.add(
                User(
                    email=f"{name}@example.com",
                    password=hash_password(f"a password of {name}", app=app),
                    fs_uniquifier=name,
                    active=True,
                    roles=roles,
                )
            )
        await session.commit()
    yield app
    await engine.dispose()


async def token(client, path):
    page = await (await client.get(path)).get_data(as_text=True)
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]


async def log_in(client, name, password=None):
    return await client.post(
        "/login",
        form={
            "email": f"{name}@example.com",
            "password": password or f"a password of {name}",
            "csrf_token": await token(client, "/login"),
        },
    )


async def test_logging_in_and_out(app):
    seen = []

    async def note(sender, **extra):
        seen.append(extra["user"].email)

    user_authenticated.connect(note, app)
    client = app.test_client()
    response = await client.get("/me")
    assert response.status_code in (302, 401)
    response = await log_in(client, "ada", "wrong")
    assert response.status_code == 200
    assert seen == []
    response = await log_in(client, "ada")
    assert (response.status_code, response.location) == (302, "/me")
    assert seen == ["ada@example.com"]
    assert await (await client.get("/me")).get_data(as_text=True) == "hello ada@example.com"
    assert await (await client.get("/admin")).get_data(as_text=True) == "admin"
    assert await (await client.get("/urls")).get_json() == ["/login", "/logout"]
    assert (await client.post("/logout")).status_code == 400


async def test_roles(app):
    client = app.test_client()
    await log_in(client, "grace")
    assert (await client.get("/admin")).status_code == 403


async def test_registering(app):
    client = app.test_client()
    form = {
        "email": "new@example.com",
        "password": "a password of new",
        "password_confirm": "a password of new",
        "csrf_token": await token(client, "/register"),
    }
    response = await client.post("/register", form=form)
    assert response.status_code == 302
    assert (await log_in(app.test_client(), "new")).location == "/me"
