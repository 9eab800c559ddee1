"""The base of session interfaces: how an app opens, saves and describes its session. Knows no storage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .session import NullSession, SessionMixin

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as WerkzeugResponse

    from quart_plug import Quart, Request, Response, Websocket


class SessionInterface:
    """Subclasses write `open_session` and `save_session`, as coroutine or plain functions.

    null_session_class  what `make_null_session` makes.
    pickle_based        whether values are stored by pickle; told to extensions.
    lazy                True promises that opening has no effect that anyone but the application's code sees;
                        then the session is opened when first touched, and saved only if it was opened. A
                        promise for exactly the class that makes it: subclasses do not inherit it.
    """

    null_session_class: type[SessionMixin] = NullSession
    pickle_based: bool = False
    lazy: bool = False

    async def open_session(self, app: Quart, request: Request | Websocket) -> SessionMixin | None:
        """The session of a request or websocket; None where there can be none, which gives a null session."""
        raise NotImplementedError(f"{type(self).__name__}.open_session(app, request) has to be written")

    async def save_session(
        self, app: Quart, session: SessionMixin, response: Response | WerkzeugResponse | None
    ) -> None:
        """Store the session. `response` is None for a websocket whose handshake was not refused."""
        raise NotImplementedError(f"{type(self).__name__}.save_session(app, session, response) has to be written")

    async def make_null_session(self, app: Quart) -> Any:
        """The session where `open_session` gave none: it can be read, and is an error to change."""
        return self.null_session_class()

    def is_null_session(self, instance: object) -> bool:
        """Whether it is one that `make_null_session` made; such a session is never saved."""
        return isinstance(instance, self.null_session_class)

    def get_cookie_name(self, app: Quart) -> str:
        """SESSION_COOKIE_NAME"""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Quart) -> str | None:
        """SESSION_COOKIE_DOMAIN; None (or anything false): exactly the host that sets the cookie."""
        return app.config["SESSION_COOKIE_DOMAIN"] or None

    def get_cookie_path(self, app: Quart) -> str:
        """SESSION_COOKIE_PATH, else APPLICATION_ROOT."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: Quart) -> bool:
        """SESSION_COOKIE_HTTPONLY: hide the cookie from scripts."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: Quart) -> bool:
        """SESSION_COOKIE_SECURE: send the cookie over HTTPS only."""
        secure: bool = app.config["SESSION_COOKIE_SECURE"]
        return secure

    def get_cookie_samesite(self, app: Quart) -> str | None:
        """SESSION_COOKIE_SAMESITE: "Lax", "Strict", "None", or None for none said."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: Quart) -> bool:
        """SESSION_COOKIE_PARTITIONED: keep the cookie apart for each site that embeds this one (CHIPS)."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def get_expiration_time(self, app: Quart, session: SessionMixin) -> datetime | None:
        """When the cookie of a permanent session ends; None: with the browser's session."""
        if not session.permanent:
            return None
        return datetime.now(UTC) + app.permanent_session_lifetime

    def should_set_cookie(self, app: Quart, session: SessionMixin) -> bool:
        """Whether the session changed, or is permanent and SESSION_REFRESH_EACH_REQUEST is on."""
        return session.modified or (session.permanent and bool(app.config["SESSION_REFRESH_EACH_REQUEST"]))
