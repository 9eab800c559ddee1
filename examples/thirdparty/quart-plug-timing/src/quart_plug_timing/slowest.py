"""The slowest requests so far."""

from __future__ import annotations

import heapq
from itertools import count

KEPT = 20


class Slowest:
    """Keeps the slowest ones, however many there were."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, tuple[str, str, str]]] = []
        self._number = count()  # of two that took equally long the later one stays

    def add(self, seconds: float, request: str, answer: str, id: str) -> None:
        entry = (seconds, next(self._number), (request, answer, id))
        if len(self._heap) < KEPT:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The slowest first, with its milliseconds."""
        ordered = sorted(self._heap, reverse=True)
        return [(f"{seconds * 1000:.1f}", *texts) for seconds, _, texts in ordered]
