"""Whoever listens is told, and is forgotten with its object."""

from __future__ import annotations

import gc

from quart_plug.hooks import change_listeners, notify_change
from quart_plug.hooks.changes import ChangeListeners


class App:
    def __init__(self) -> None:
        self.told = 0

    def changed(self) -> None:
        self.told += 1


def test_listeners_are_told_until_they_are_discarded() -> None:
    listeners, app = ChangeListeners(), App()
    listeners.add(app.changed)
    listeners.notify()
    listeners.discard(app.changed)
    listeners.notify()
    assert app.told == 1


def test_listeners_are_held_weakly() -> None:
    listeners, app = ChangeListeners(), App()
    listeners.add(app.changed)
    assert len(listeners) == 1
    del app
    gc.collect()
    listeners.notify()
    assert len(listeners) == 0


def test_a_function_may_listen_for_as_long_as_it_is_kept() -> None:
    listeners, told = ChangeListeners(), []

    def listen() -> None:
        told.append(1)

    listeners.add(listen)
    listeners.notify()
    assert told == [1]


def test_notify_change_tells_everyone_in_the_process() -> None:
    app = App()
    change_listeners.add(app.changed)
    notify_change()
    assert app.told == 1
