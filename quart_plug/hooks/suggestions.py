"""\"Did you mean": the nearest known name to a misspelt one. Knows no plugins."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ' (did you mean "x"?)' or '' when nothing known resembles `word`."""
    import difflib  # here: only errors need it

    candidates = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), candidates, n=1, cutoff=0.6)
    return f" (did you mean {candidates[close[0]]!r}?)" if close else ""
