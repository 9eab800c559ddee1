"""Cookies of a response: werkzeug's, with what would break out of the header refused, and Flask's size
setting.

Knows no body.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

from werkzeug.http import dump_cookie
from werkzeug.sansio.response import Response as SansIOResponse

from ..globals import _cv
from .response_headers import check_text


class SetsCookies(SansIOResponse):
    """The part of `Response` that sets cookies."""

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]  # werkzeug's is a constant, Flask's this
        """Bytes from which on a cookie is warned about: the setting MAX_COOKIE_SIZE; 0 for no warning."""
        context = _cv.get(None)
        return super().max_cookie_size if context is None else context.app.config["MAX_COOKIE_SIZE"]

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | int | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Set a cookie; see werkzeug. ValueError for a `;` or control characters in `key`, `domain` or
        `path`.

        `value` may hold anything: it is quoted.
        """
        # A name beyond ASCII is left to werkzeug, which encodes it.
        if max_age is None and expires is None and key.isascii() and _PLAIN.fullmatch(value):
            rest = _attributes(key, path, domain, secure, httponly, samesite, partitioned)
            size = len(key) + 1 + len(value) + len(rest)
            if not self.max_cookie_size or size <= self.max_cookie_size:
                self.headers.add("Set-Cookie", f"{key}={value}{rest}")
                return
        _check(key, domain, path)
        super().set_cookie(key, value, max_age, expires, path, domain, secure, httponly, samesite, partitioned)


# What is never quoted: a signed session among others.
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")


def _check(key: str, domain: str | None, path: str | None) -> None:
    for what, text in (("name", key), ("domain", domain), ("path", path)):
        if text is not None:
            check_text(text, f"A cookie's {what}")
            if ";" in text and what != "path":  # a path is quoted; here it would start another attribute
                raise ValueError(f"A cookie's {what} must not contain ';': {text!r}")


@lru_cache(maxsize=64)
def _attributes(
    key: str,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
    partitioned: bool,
) -> str:
    """What follows the value of a cookie, as werkzeug writes it: an application's cookies differ in the value."""
    _check(key, domain, path)
    empty = dump_cookie(
        key,
        path=path,
        domain=domain,
        secure=secure,
        httponly=httponly,
        samesite=samesite,
        partitioned=partitioned,
    )
    return empty.removeprefix(f"{key}=")
