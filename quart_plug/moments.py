"""The chains of hooks that a connection goes through, compiled less what is switched off for its route.

    plans.moments(off)  ->  Moments, one for each different `off`; nearly every app has one

A Plan takes its chains from here, so a hook that is switched off is not in its plan, and costs nothing there nor
anywhere else. Knows no rule and no app: which hooks there are is in `kinds`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .kinds import Kind
from .scoping import SwitchedOff

Chain = Callable[..., Any]


class Moments:
    """Each moment's chain, or None where there is nothing to call.

    started, matched  the former for connections without a rule, the latter for all others.
    """

    def __init__(self, call: Callable[[str, frozenset[str]], Chain | None], kind: Kind, off: SwitchedOff) -> None:
        def chain(moment: str) -> Chain | None:
            hook = kind.hooks.get(moment)
            return None if hook is None else call(hook, off.of(hook))

        self.around = chain("around")
        self.started = telling(chain("started"))
        self.matched = in_turn(self.started, telling(chain("matched")))
        self.before = chain("before")
        self.after = chain("after")
        self.error = chain("error")
        self.finished = telling(chain("finished"))
        self.failed = telling(chain("failed"))
        self.teardown = telling(chain("teardown"))
        self.accepting = chain("accepting")
        self.received = chain("received")
        self.sending = chain("sending")
        self.sent = telling(chain("sent"))
        self.closed = chain("closed")
        self.response_sent = chain("response_sent")


def telling(hook: Chain | None) -> Chain | None:
    """A `notify` hook whose one failure is raised as itself: what a signal's receiver raises meets the error handlers,
    as in Quart."""
    if hook is None:
        return None

    async def tell(*args: Any) -> None:
        try:
            await hook(*args)
        except ExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            failure = group.exceptions[0]
        else:
            return
        try:
            raise failure
        finally:
            del failure  # its traceback holds this frame

    return tell


def in_turn(first: Chain | None, second: Chain | None) -> Chain | None:
    """One function that calls both; the second one only if the first did not fail."""
    if first is None or second is None:
        return first or second

    async def both(*args: Any) -> None:
        await first(*args)
        await second(*args)

    return both
