"""The cases: what is asked, what has to be answered, and the target as a multiple of a bare ASGI callable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from driver import Call

ITEMS = [{"name": f"Item {number}", "price": number * 3} for number in range(10)]

PAGE = """<!doctype html>
<html>
  <head><title>{{ title }}</title></head>
  <body>
    <h1>{{ title }}</h1>
    <p>Visit {{ visits }}</p>
    <ul>
    {% for item in items %}
      <li>{{ item.name }}: {{ item.price }}</li>
    {% endfor %}
    </ul>
  </body>
</html>
"""


@dataclass(frozen=True)
class Case:
    """A case of the table; `target` is the most it may cost, as a multiple of bare ASGI."""

    name: str
    call: Call
    status: int = 200
    contains: bytes = b""
    json: Any = None
    target: float | None = None
    content_type: bytes | None = None
    header: bytes | None = None


JSON_HEADERS = (*Call().headers[:3], (b"content-type", b"application/json"))

CASES = [
    Case("plain", Call(), contains=b"Hello, World!", target=2.5),
    Case("json", Call(path="/json"), json={"message": "Hello, World!", "id": 7, "ok": True}, target=1.8),
    Case("param", Call(path="/user/42/posts/first-post"), json={"id": 42, "slug": "first-post"}, target=1.9),
    Case(
        "echo",
        Call("POST", "/echo", b'{"name": "Ada", "tags": ["a", "b"], "age": 36}', JSON_HEADERS),
        json={"name": "Ada", "tags": ["a", "b"], "age": 36},
        target=1.8,
    ),
    Case("suspend", Call(path="/suspend"), contains=b"Hello, World!", target=1.9),
    Case("header", Call(path="/header"), contains=b"bench/1.0", target=2.8),
    Case("after", Call(), contains=b"Hello, World!", target=3.5),
    Case("after, header", Call(), contains=b"Hello, World!", target=3.5, header=b"x-after"),
    Case("page", Call(path="/page"), contains=b"<li>Item 9: 27</li>"),
]

WEBSOCKET_MESSAGE = '{"type": "message", "user": "Ada", "text": "Hello, World!"}'
WEBSOCKET_TARGET = 1.25
