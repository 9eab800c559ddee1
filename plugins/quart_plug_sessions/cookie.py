"""The session in a signed cookie.

A cookie that cannot be trusted (changed, cut off, too old, signed with another key, or not a session at all)
gives an empty session and no error: it is a client's data. The format is Flask's: URLSafeTimedSerializer,
salt "cookie-session", HMAC with SHA-1, tagged JSON.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.sansio.request import Request as SansIORequest

from .interface import SessionInterface
from .session import SecureCookieSession, SessionMixin
from .tag import TaggedJSONSerializer
from .unpadded import decode_unpadded

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer
    from werkzeug.wrappers import Response as WerkzeugResponse

    from quart_plug import Quart, Request, Response, Websocket

session_json_serializer = TaggedJSONSerializer()

_is_plain = re.compile(r"[\w.-]*", re.ASCII).fullmatch  # what a signed cookie is made of

_KEPT_SERIALIZERS = 8  # an interface usually serves one app with one key; more only while keys change


class SecureCookieSessionInterface(SessionInterface):
    """Sessions in a cookie, signed with the app's `secret_key`; the client can read them.

    salt            sets these signatures apart from others made with the same key.
    digest_method   the hash function of the signature.
    key_derivation  how the signing key is made of the secret key and the salt (itsdangerous).
    serializer      has `dumps` and `loads`; the values' format.
    session_class   what `open_session` makes.
    """

    salt: str = "cookie-session"
    digest_method: Callable[..., Any] = staticmethod(hashlib.sha1)
    key_derivation: str = "hmac"
    serializer: Any = session_json_serializer
    session_class: type[SecureCookieSession] = SecureCookieSession

    lazy = True  # opening only reads a cookie

    _serializers: dict[Any, URLSafeTimedSerializer] | None = None

    def get_signing_serializer(self, app: Quart) -> URLSafeTimedSerializer | None:
        """What signs and reads cookies; None without a secret key.

        It signs with SECRET_KEY and reads what that or one of SECRET_KEY_FALLBACKS signed.
        """
        secret_key = app.secret_key
        if not secret_key:
            return None
        fallbacks = app.config["SECRET_KEY_FALLBACKS"]
        made_for = (
            secret_key,
            tuple(fallbacks) if fallbacks else None,
            self.salt,
            self.key_derivation,
            self.digest_method,
            id(self.serializer),
        )
        kept = self._serializers
        if kept is None or len(kept) > _KEPT_SERIALIZERS:
            kept = self._serializers = {}
        found = kept.get(made_for)
        if found is None:
            from .signing import KeptSignerSerializer  # with itsdangerous, which an app without a key never needs

            found = kept[made_for] = KeptSignerSerializer(
                [*(fallbacks or ()), secret_key],  # itsdangerous signs with the last one
                salt=self.salt,
                serializer=self.serializer,
                signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
            )
        return found

    async def open_session(self, app: Quart, request: Request | Websocket) -> SecureCookieSession | None:
        """The session of the request's cookie, an empty one, or None without a secret key."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        value = _read_cookie(request, self.get_cookie_name(app))
        if not value:
            return self.session_class()
        try:
            content = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
        except _bad_data():
            return self.session_class()
        return self.session_class(content if isinstance(content, dict) else None)

    async def save_session(
        self, app: Quart, session: SessionMixin, response: Response | WerkzeugResponse | None
    ) -> None:
        """Set, delete or leave the cookie, and say `Vary: Cookie` if the session was looked at."""
        accessed, modified = session.accessed, session.modified  # what follows looks at the session as well
        if response is None:
            if modified:
                app.logger.warning(
                    "The session was changed in a websocket; the change is lost, since only a response can"
                    " set a cookie. Change the session in a request."
                )
            return
        filled = bool(session)
        writes = self.should_set_cookie(app, session) if filled else modified
        if accessed or writes:
            _vary_by_cookie(response)
        if not writes:
            return
        attributes: dict[str, Any] = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "partitioned": self.get_cookie_partitioned(app),
            "samesite": self.get_cookie_samesite(app),
            "httponly": self.get_cookie_httponly(app),
        }
        if not filled:
            response.delete_cookie(self.get_cookie_name(app), **attributes)
            return
        serializer = self.get_signing_serializer(app)
        if serializer is None:  # the key was taken away while the request was handled
            return
        value: str = serializer.dumps(dict(session))  # URL-safe serializers give text
        expires = self.get_expiration_time(app, session)
        response.set_cookie(self.get_cookie_name(app), value, expires=expires, **attributes)

    def may_be_refreshed(self, app: Quart, cookie_header: bytes) -> bool:
        """Whether a session that nothing touched has to be opened, since its cookie may have to be sent again.

        cookie_header  the value of the request's `Cookie` header.

        False is certain: the cookie is not there, or says that it is not of a permanent session. That can be seen
        without checking the signature: who changes it can only lose the sending.
        """
        if not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        name = self.get_cookie_name(app).encode("latin-1", "replace")
        _, found, rest = cookie_header.partition(name)
        if not found:
            return False
        if (
            type(self) is not SecureCookieSessionInterface
            or self.session_class is not SecureCookieSession
            or self.serializer is not session_json_serializer
        ):
            return True
        value = rest.lstrip(b" \t=")
        if name in rest or value[:1] in (b".", b'"'):
            return True  # another cookie may be the one that counts, or this one is compressed, or quoted
        try:
            return b"_permanent" in decode_unpadded(value.partition(b".")[0])
        except ValueError:
            return False


def _bad_data() -> type[Exception]:
    """What itsdangerous raises for a cookie that cannot be trusted; asked for once something was raised."""
    from itsdangerous import BadData

    return BadData


def _vary_by_cookie(response: Response | WerkzeugResponse) -> None:
    headers = response.headers
    if "Vary" in headers:
        response.vary.add("Cookie")
    else:
        headers["Vary"] = "Cookie"


def _read_cookie(request: Any, name: str) -> str | None:
    """`request.cookies.get(name)`, without parsing the other cookies where that can give the same."""
    if getattr(type(request), "cookies", None) is not SansIORequest.cookies or "cookies" in vars(request):
        value: str | None = request.cookies.get(name)
        return value
    for header in request.headers.getlist("Cookie"):
        if '"' in header or not header.isascii():
            return request.cookies.get(name)  # type: ignore[no-any-return]  # werkzeug's: strings
        for cookie in header.split(";"):
            key, _, value = cookie.partition("=")
            if key.strip() == name:
                value = value.strip()
                return value if _is_plain(value) else request.cookies.get(name)
    return None
