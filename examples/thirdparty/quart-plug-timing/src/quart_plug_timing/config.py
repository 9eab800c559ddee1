"""What can be configured, as ``[plugins.timing]`` or ``QUART_PLUG_TIMING__KEY``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# RFC 9110, 5.6.2: what a header may be called.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True)
class Timing:
    """The configuration of the plugin."""

    header: str = "X-Request-ID"
    """Where a request id comes in and goes out; an empty text sends none."""

    trusted: bool = False
    """Whether an id that comes in is taken; else each connection gets a new one."""

    max_length: int = 64
    """How long an id that comes in may be."""

    server_timing: bool = True
    """Whether answers have the header Server-Timing."""

    log: bool = True
    """Whether there is a log line for each request and each websocket."""

    slow: float = 1.0
    """From how many seconds on a request's line is a warning; 0 is never."""

    mark: Literal["prefix", "attribute"] = "prefix"
    """Whether the application's own log lines begin with the id, or only have it."""

    def __post_init__(self) -> None:
        if self.header and not TOKEN.fullmatch(self.header):
            raise ValueError(f"header cannot be {self.header!r}, which no header is")
        if not 8 <= self.max_length <= 256:
            raise ValueError("max_length has to be from 8 to 256")
        if self.slow < 0:
            raise ValueError("slow has to be 0 or more seconds")
