"""What a connection is wrapped in: requests, websockets, responses and what they are made of."""

from __future__ import annotations

from ..exceptions import ClientDisconnected as ClientDisconnectedError
from .base import BaseRequestWebsocket
from .body import Body
from .handshake import Handshake
from .request import Request
from .response import Response
from .websocket import Websocket

__all__ = ["BaseRequestWebsocket", "Body", "ClientDisconnectedError", "Handshake", "Request", "Response", "Websocket"]
