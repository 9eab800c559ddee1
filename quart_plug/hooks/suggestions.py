"""\"Did you mean": the nearest known name to a misspelt one. Knows no plugins."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ' (did you mean "x"?)' or '' when nothing known resembles `word`."""
    close = nearest(word, known)
    return f" (did you mean {close!r}?)" if close is not None else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` resembles, or None."""
    import difflib  # here: only errors need it

    candidates = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), candidates, n=1, cutoff=0.6)
    return candidates[close[0]] if close else None


def slip_of(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` was surely meant to be: one or two letters are missing, too many, wrong or swapped.

    For names that anybody may choose, where resembling is not enough to call one wrong.
    """
    distances = {name: _distance(word, name) for name in sorted(known) if abs(len(name) - len(word)) <= 2}
    best = min(distances, key=distances.__getitem__, default=None)
    return best if best is not None and distances[best] <= 2 else None


def _distance(one: str, other: str) -> int:
    """How many letters have to be put in, left out, changed or swapped with their neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(row[-1] + 1, last[j] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
