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
    """Each moment's chain, or None where there is nothing to call."""

    def __init__(self, call: Callable[[str, frozenset[str]], Chain | None], kind: Kind, off: SwitchedOff) -> None:
        def chain(moment: str) -> Chain | None:
            hook = kind.hooks.get(moment)
            return None if hook is None else call(hook, off.of(hook))

        self.around = chain("around")
        self.started = telling(chain("started"))
        self.before = chain("before")
        self.after = chain("after")
        self.finished = telling(chain("finished"))
        self.failed = telling(chain("failed"))
        self.teardown = telling(chain("teardown"))
        self.received = chain("received")
        self.sending = chain("sending")
        self.sent = telling(chain("sent"))
        self.closed = chain("closed")


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
