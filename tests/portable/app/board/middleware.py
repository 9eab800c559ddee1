"""Two pieces of ASGI middleware, put around `asgi_app`."""

from __future__ import annotations


class Timing:
    """Adds a header to every response and to every accepted handshake."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def wrapped(message):
            if message["type"] in {"http.response.start", "websocket.accept"}:
                message = {**message, "headers": [*message.get("headers", []), (b"x-middleware", b"yes")]}
            await send(message)

        await self.app({**scope, "board": "passed through"}, receive, wrapped)


class Blocked:
    """Answers for itself below /blocked."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/blocked"):
            await send({"type": "http.response.start", "status": 451, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"blocked"})
        else:
            await self.app(scope, receive, send)
