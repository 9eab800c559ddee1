"""A queue with bounds, and with a policy for what is beyond them.

Must not know: websockets, tasks.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, Literal, TypeVar, get_args

T = TypeVar("T")

Policy = Literal["drop_oldest", "drop_newest", "disconnect"]
POLICIES: Final = get_args(Policy)
Bounds = tuple[int, int, Policy]  # messages, bytes, policy
DEFAULTS: Final[Bounds] = (256, 1024 * 1024, "drop_oldest")


def size_of(data: str | bytes) -> int:
    """The bytes of a message's data."""
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode("utf-8", "surrogatepass"))


class TooMuch(Exception):
    """What a queue with the policy "disconnect" raises in place of dropping something."""


class Waiting(Generic[T]):
    """What waits for somebody who may be slow.

    messages       how many may wait.
    bytes          how many bytes they may have; one message alone may have more.
    policy         what happens to a message that is too much: "drop_oldest" lets those go that have waited longest,
                   "drop_newest" lets it go, "disconnect" is for the owner to see to.
    dropped        how many were let go.
    waiting_bytes  the bytes of those that wait.

    ValueError for bounds below 1, or another policy.
    """

    __slots__ = ("_queue", "bytes", "dropped", "messages", "policy", "waiting_bytes")

    messages: int
    bytes: int
    policy: Policy

    def __init__(
        self, messages: int | None = None, bytes: int | None = None, policy: Policy | None = None
    ) -> None:
        self.dropped = self.waiting_bytes = 0
        self._queue: deque[tuple[T, int]] = deque()
        self.messages, self.bytes, self.policy = DEFAULTS
        self.limit(messages, bytes, policy)

    def limit(self, messages: int | None = None, bytes: int | None = None, policy: Policy | None = None) -> None:
        """Set other bounds; None leaves one as it is. They are for what comes from now on."""
        for name, value in (("messages", messages), ("bytes", bytes)):
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f"the {name} that may wait are a number from 1 on, not {value!r}")
        if policy is not None and policy not in POLICIES:
            raise ValueError(f"the policy is one of {', '.join(map(repr, POLICIES))}, not {policy!r}")
        self.messages = messages or self.messages
        self.bytes = bytes or self.bytes
        self.policy = policy or self.policy

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._queue)

    def add(self, message: T, size: int) -> bool:
        """Add a message of so many bytes; False when it is let go. TooMuch, with the policy "disconnect"."""
        queue = self._queue
        if queue and (len(queue) >= self.messages or self.waiting_bytes + size > self.bytes):
            self._overflows()
            self.dropped += 1
            if self.policy == "disconnect":
                raise TooMuch
            if self.policy == "drop_newest":
                return False
            self.take()
            while queue and self.waiting_bytes + size > self.bytes:
                self.take()
                self.dropped += 1
        queue.append((message, size))
        self.waiting_bytes += size
        return True

    def take(self) -> T:
        """The message that waits for longest. IndexError when there is none."""
        message, size = self._queue.popleft()
        self.waiting_bytes -= size
        return message

    def drop(self) -> None:
        """Let everything go that waits."""
        self.dropped += len(self._queue)
        self._queue.clear()
        self.waiting_bytes = 0

    def _overflows(self) -> None:
        """Something is about to be let go."""
