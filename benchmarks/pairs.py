"""Comparing two things that differ by little, on a machine that others use as well.

Both are run in turn, A B B A, and each round gives one ratio B/A. What is said about the ratio is its median and an
interval that holds the true median with a confidence of 95 %, from the order statistics of the rounds alone: nothing is
assumed of how noise is spread. Rounds are added until the interval lies on one side of the target, or there are enough.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Sample = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Estimate:
    """A median, and the interval that holds it with a confidence of 95 %."""

    median: float
    low: float
    high: float
    rounds: int

    def is_decided(self, target: float) -> bool:
        return self.high <= target or self.low > target

    def reaches(self, target: float) -> bool:
        """Whether it is not shown to be more than the target: certainly less, or too near to it to tell."""
        return self.low <= target

    def text(self, form: str, unit: str = "") -> str:
        return f"{self.median:{form}}{unit} ({self.low:{form}} to {self.high:{form}})"


def estimate(values: list[float]) -> Estimate:
    """The median of `values` with its interval: the k-th smallest and the k-th largest, k from the normal
    approximation of the binomial distribution with p = 1/2."""
    ordered = sorted(values)
    count = len(ordered)
    rank = max(0, math.floor((count - 1.96 * math.sqrt(count)) / 2) - 1)
    return Estimate(statistics.median(ordered), ordered[rank], ordered[count - 1 - rank], count)


async def compare(
    base: Sample, other: Sample, target: float | None, least: int, most: int
) -> tuple[Estimate, Estimate]:
    """The ratio other/base and the difference other - base, over at least `least` and at most `most` rounds.

    target  of the ratio; None: no more rounds than needed.
    """
    ratios: list[float] = []
    differences: list[float] = []
    while True:
        if len(ratios) % 2:
            b, a = await other(), await base()
        else:
            a, b = await base(), await other()
        ratios.append(b / a)
        differences.append(b - a)
        if len(ratios) < least or len(ratios) % 20:
            continue
        ratio = estimate(ratios)
        if target is None or ratio.is_decided(target) or len(ratios) >= most:
            return ratio, estimate(differences)
