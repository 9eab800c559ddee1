"""The room: who is in it, what was said, and what each browser tab is still to be sent.

Nothing here waits and nothing here knows of websockets. What is for a tab is put into its outbox, from which app.py
sends it at the tab's own speed: a slow one delays nobody, and one that falls too far behind is given up.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAME_LENGTH = 30  # characters
OUTBOX_LENGTH = 100  # messages


class Person:
    """Somebody in the room, with one open tab or more."""

    def __init__(self, user: str, name: str) -> None:
        self.user = user
        self.name = name
        self.tabs: set[Tab] = set()


class Tab:
    """One websocket of a person."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_LENGTH)
        self.fell_behind = False

    def tell(self, **message: Any) -> None:
        """Put a message for this tab alone into its outbox."""
        self.put(json.dumps(message))

    def put(self, message: str) -> None:
        """Put an encoded message into the outbox; nothing any more once one did not fit."""
        self.fell_behind = self.fell_behind or self.outbox.full()
        if not self.fell_behind:
            self.outbox.put_nowait(message)


class Room:
    """history  how many messages are kept for newcomers."""

    def __init__(self, history: int) -> None:
        self.people: dict[str, Person] = {}
        self.history: deque[dict[str, Any]] = deque(maxlen=history)

    @contextmanager
    def enter(self, user: str, name: str) -> Iterator[Tab]:
        """Be in the room with a new tab, for as long as the `with` block runs."""
        person = self.people.setdefault(user, Person(user, name))
        tab = Tab(person)
        tab.tell(type="welcome", history=list(self.history))
        person.tabs.add(tab)
        self.tell_who_is_here()
        try:
            yield tab
        finally:
            person.tabs.discard(tab)
            if not person.tabs:
                del self.people[user]
            self.tell_who_is_here()

    def say(self, person: Person, text: str) -> None:
        """Tell everybody, and keep it for those who come later."""
        message = {
            "id": secrets.token_hex(8),
            "user": person.user,
            "name": person.name,
            "text": text,
            "at": time.time(),
        }
        self.history.append(message)
        self.tell_all(type="message", **message)

    def rename(self, user: str, name: str) -> None:
        """Somebody who may be in the room has a new name."""
        if user in self.people:
            self.people[user].name = name
            self.tell_who_is_here()

    def name_problem(self, user: str, name: str) -> str | None:
        """What is wrong with a name, in words for who chose it; None when it is a good one."""
        if not name or not name.isprintable():
            return "Please choose a name."
        if len(name) > NAME_LENGTH:
            return f"That name is too long: {NAME_LENGTH} characters at most."
        for person in self.people.values():
            if person.name.casefold() == name.casefold() and person.user != user:
                return f"Somebody here is called {person.name} already."
        return None

    def tell_who_is_here(self) -> None:
        people = [
            {"user": person.user, "name": person.name, "tabs": len(person.tabs)} for person in self.people.values()
        ]
        self.tell_all(type="people", people=people)

    def tell_all(self, **message: Any) -> None:
        """Put a message into every outbox; it is encoded once."""
        encoded = json.dumps(message)
        for person in self.people.values():
            for tab in person.tabs:
                tab.put(encoded)
