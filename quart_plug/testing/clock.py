"""Time that passes at once: the event loop's clock, moved forward by a test.

Everything that waits through the loop (sleep, timeout, call_later: the app's time limits, heartbeats,
sweeps) is due when its time has come by this clock. What reads `time.time()` or `time.monotonic()` is not
moved.
"""

from __future__ import annotations

import asyncio

_STEP = 0.25  # seconds: timers that are set again and again get their turns
_TURNS = 4  # of the loop after each step, so that what was waked can set its next timer


class Clock:
    """The running loop's clock. It starts true, and never goes back.

    RuntimeError where the loop does not let its clock be moved (uvloop).
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._true_time = self._loop.time
        self._ahead = 0.0
        try:
            self._loop.time = self._now  # type: ignore[method-assign]  # asyncio's own loops ask `self.time()`
        except AttributeError:
            raise RuntimeError(
                f"the clock of {type(self._loop).__name__} cannot be moved: use asyncio's loop"
            ) from None

    def _now(self) -> float:
        return self._true_time() + self._ahead

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, without waiting for them. ValueError for a negative number."""
        if not seconds >= 0:
            raise ValueError(f"time goes forward only, not by {seconds!r} seconds")
        left = seconds
        while left > 0:
            step = min(_STEP, left)
            left -= step
            self._ahead += step
            for _ in range(_TURNS):
                await asyncio.sleep(0)
