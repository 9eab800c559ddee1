"""The client's cookies, over the standard library's cookie jar.

What is kept is decided as a browser does it: a cookie for a foreign domain is not, and one that has expired is dropped.
Every cookie that is kept is sent with every request, as Quart's client does, whatever its domain and path are and also
if it is `Secure`: a test speaks to `http://localhost/`, wherever its app is served, and the app's cookies have to come
back.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message as EmailMessage
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.parse import quote
from urllib.request import Request as URLRequest

from werkzeug.datastructures import Headers


class U2Request(URLRequest):
    """A request as the standard library's cookie jar wants to see it (Quart's name for it)."""


class _Reply:
    """What the jar wants of a response: `info()`."""

    def __init__(self, set_cookie: Iterable[str]) -> None:
        self._message = EmailMessage()
        for value in set_cookie:
            self._message["Set-Cookie"] = value

    def info(self) -> EmailMessage:
        return self._message


def make_jar() -> CookieJar:
    return CookieJar()


def _as_request(host: str, path: str) -> URLRequest:
    return U2Request(f"http://{host}{quote(path if path.startswith('/') else f'/{path}')}")


def add_cookies(jar: CookieJar, headers: Headers) -> None:
    """Add the jar's cookies to a request's headers.

    They join those that the test gave as a header, which win, in one header, as RFC 6265 (5.4) has it.
    """
    jar.clear_expired_cookies()
    kept = [cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}" for cookie in jar]
    if not kept:
        return
    given = [part.strip() for value in headers.getlist("cookie") for part in value.split(";") if part.strip()]
    names = {part.partition("=")[0] for part in given}
    given += [part for part in kept if part.partition("=")[0] not in names]
    headers["Cookie"] = "; ".join(given)


def keep_cookies(jar: CookieJar, host: str, path: str, headers: Headers | None) -> None:
    """Keep what a response's `Set-Cookie` headers ask for; a cookie that has expired is dropped."""
    if headers is not None:
        keep_set_cookie(jar, host, path, headers.getlist("set-cookie"))


def keep_set_cookie(jar: CookieJar, host: str, path: str, values: list[str]) -> None:
    if values:
        jar.extract_cookies(cast(Any, _Reply(values)), _as_request(host, path))
