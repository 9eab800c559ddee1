"""Where a redirect leads: the next request of a client that follows it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from ..wrappers import Response

MAX_REDIRECTS = 20

_STATUSES = {301, 302, 303, 307, 308}
_BECOMES_GET = {
    302,
    303,
}  # RFC 9110, 15.4.4, and what browsers make of 302; 301 keeps the method, as in Quart


@dataclass(frozen=True)
class NextRequest:
    path: str
    method: str
    scheme: str
    host: str
    drops_body: bool


def is_redirect(response: Response) -> bool:
    return response.status_code in _STATUSES and "location" in response.headers


def next_request(response: Response, path: str, method: str, scheme: str, host: str) -> NextRequest:
    """Resolve the response's Location against the request that it answers.

    Raises RuntimeError when it leads to another host than the app's own or a part of its domain.
    """
    location = response.headers["location"]
    current = (
        path if path.startswith("/") else urlunsplit(urlsplit(path)._replace(scheme="", netloc="")) or "/"
    )
    url = urlsplit(urljoin(f"{scheme}://{host}{current}", location))
    if url.scheme not in ("http", "https") or not _are_related(url.netloc, host):
        raise RuntimeError(
            f"the redirect to {location!r} leads out of the app ({host}): "
            "leave out follow_redirects, and look at the header Location"
        )
    becomes_get = response.status_code in _BECOMES_GET and method != "HEAD"
    target = urlunsplit(("", "", url.path or "/", url.query, ""))
    return NextRequest(target, "GET" if becomes_get else method, url.scheme, url.netloc, becomes_get)


def _are_related(one: str, other: str) -> bool:
    """Whether two hosts are the same, or one is a subdomain of the other; ports may differ."""
    one, other = (host.rpartition("@")[2].partition(":")[0].lower() for host in (one, other))
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
