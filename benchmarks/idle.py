"""A process that holds websockets nobody uses and says what one costs: `idle.py FRAMEWORK COUNT`; bytes, traced."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from members import Members
from run import FRAMEWORKS


async def main(framework: str, count: int) -> None:
    app = importlib.import_module(FRAMEWORKS[framework][0]).make("websocket")
    if hasattr(app, "start"):
        await app.start()
    warm = Members(app, "/ws", 10)
    await warm.open()
    await warm.close()
    members = Members(app, "/ws", count)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await members.open()
    gc.collect()
    print((tracemalloc.get_traced_memory()[0] - before) / count)
    tracemalloc.stop()
    await members.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
