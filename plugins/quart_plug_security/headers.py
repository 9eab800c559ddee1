"""Headers on every response, where some are configured; without any there is nothing of this in an app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from quart_plug.globals import request

if TYPE_CHECKING:
    from quart_plug.wrappers import Response

HSTS = "Strict-Transport-Security"


def header_setter(headers: Mapping[str, str]) -> Callable[[Any], Awaitable[Any]]:
    """An after function that sets those of the headers that a response does not have."""
    always = tuple((name, value) for name, value in headers.items() if name != HSTS)
    strict = headers.get(HSTS)

    async def set_headers(response: Response) -> Response:
        present = response.headers
        for name, value in always:
            if name not in present:
                present[name] = value
        if strict is not None and HSTS not in present and request.scheme == "https":
            present[HSTS] = strict
        return response

    return set_headers
