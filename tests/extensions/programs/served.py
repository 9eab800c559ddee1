"""An app served by Hypercorn in this process, for programs whose client has to be a real one."""

import asyncio
import socket
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config

LIMIT = 10.0  # seconds


@asynccontextmanager
async def served(app):
    """`async with served(app) as address:`, where address is "127.0.0.1:port"."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config()
        config.bind = [f"fd://{listener.fileno()}"]
        config.errorlog = None
        config.graceful_timeout = 0.1
        ending = asyncio.Event()
        server = asyncio.create_task(serve(app, config, shutdown_trigger=ending.wait))
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ending.set()
            async with asyncio.timeout(LIMIT):
                await server
            listener.detach()  # Hypercorn has closed it
