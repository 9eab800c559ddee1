"""Sessions: signed cookies everywhere, except below /kiosk, where the server keeps them."""

from __future__ import annotations

import secrets
from typing import Any

from quart.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin


class KioskSession(dict[str, Any], SessionMixin):
    """A session whose content stays on the server; the cookie holds its number."""

    def __init__(self, sid: str, initial: dict[str, Any] | None = None) -> None:
        super().__init__(initial or {})
        self.sid = sid
        self.modified = False
        self.accessed = True

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.modified = True


class KioskSessionInterface(SessionInterface):
    """Written as documentation tells: asynchronous `open_session` and `save_session`."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    async def open_session(self, app, request):
        if request.args.get("without"):
            return None  # a null session is made in its place
        sid = request.cookies.get("kiosk")
        if sid is None or sid not in self.kept:
            return KioskSession(sid or secrets.token_hex(4))
        return KioskSession(sid, self.kept[sid])

    async def save_session(self, app, session, response):
        if response is None:  # a websocket that was accepted
            self.kept[session.sid] = dict(session)
            return
        if not session:
            self.kept.pop(session.sid, None)
            response.delete_cookie("kiosk", path=self.get_cookie_path(app), domain=self.get_cookie_domain(app))
            return
        self.kept[session.sid] = dict(session)
        response.set_cookie(
            "kiosk",
            session.sid,
            httponly=self.get_cookie_httponly(app),
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
            path=self.get_cookie_path(app),
        )


class BoardSessionInterface(SecureCookieSessionInterface):
    def __init__(self) -> None:
        super().__init__()
        self.kiosk = KioskSessionInterface()

    async def open_session(self, app, request):
        if request.path.startswith("/kiosk"):
            return await self.kiosk.open_session(app, request)
        return await super().open_session(app, request)

    async def save_session(self, app, session, response):
        if isinstance(session, KioskSession):
            await self.kiosk.save_session(app, session, response)
        else:
            await super().save_session(app, session, response)
