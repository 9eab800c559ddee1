"""Constant load on a server that stops: clients that ask until nobody listens any more.

Knows no server, only a port.
"""

from __future__ import annotations

import asyncio

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Load:
    """Clients on one port, of which every other keeps its connection until the server closes that.

    answered  how many requests were.
    failures  what went wrong with the others: a connection that the server had taken, and then did not serve.
    """

    def __init__(self, port: int, clients: int) -> None:
        self.port = port
        self.answered = 0
        self.failures: list[str] = []
        self.tasks = [asyncio.ensure_future(self._ask(number % 2 == 0)) for number in range(clients)]

    async def reach(self, answered: int, limit: float) -> None:
        """Wait until so many requests were answered."""
        async with asyncio.timeout(limit):
            while self.answered < answered:
                await asyncio.sleep(0.001)

    async def end(self, limit: float) -> None:
        """Wait until every client was refused."""
        await asyncio.wait_for(asyncio.gather(*self.tasks), limit)

    async def _ask(self, keeps: bool) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                return
            try:
                closes = False
                while not closes:
                    writer.write(REQUEST)
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    await reader.readexactly(length)
                    if not head.startswith(b"http/1.1 200"):
                        self.failures.append(head.decode())
                    self.answered += 1
                    closes = not keeps or b"connection: close" in head
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
            finally:
                writer.close()
