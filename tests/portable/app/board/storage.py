"""Where notes and pictures are kept: in memory, one store for each application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from markupsafe import Markup, escape


@dataclass
class Note:
    id: int
    title: str
    text: str
    author: str
    tags: set[str] = field(default_factory=set)
    price: Decimal = Decimal("0.00")
    created: datetime = field(default_factory=lambda: datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC))
    uid: UUID = field(default_factory=lambda: UUID(int=7))

    def __html__(self) -> str:
        return Markup("<b>{}</b>").format(self.title)

    @property
    def slug(self) -> str:
        return escape(self.title.lower().replace(" ", "-"))


class NoSuchNote(LookupError):
    """There is no note with this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: dict[int, Note] = {}
        self.users: dict[str, str] = {"ada": "engine", "grace": "compiler"}
        self.connected = False
        self.changed = asyncio.Event()

    def add(self, title: str, text: str, author: str = "anonymous", tags: set[str] | None = None) -> Note:
        number = max(self.notes, default=0) + 1
        note = self.notes[number] = Note(number, title, text, author, tags or set())
        return note

    def get(self, number: int) -> Note:
        try:
            return self.notes[number]
        except KeyError:
            raise NoSuchNote(number) from None

    def find(self, slug: str) -> Note | None:
        return next((note for note in self.notes.values() if note.slug == slug), None)
