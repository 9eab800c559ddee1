"""What the board's tests share: an application for each test, a client, a client that is logged in."""

from __future__ import annotations

import pytest
import quart
from board import create_app


@pytest.fixture
def app():
    return create_app()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
async def member(app):
    """A client of somebody who is logged in."""
    client = app.test_client()
    await client.login("ada", "engine")
    return client


@pytest.fixture
def notes(app):
    """Three notes."""
    return [
        app.store.add("First note", "the text of the first", "ada", {"red"}),
        app.store.add("Second", "short", "grace", {"green", "red"}),
        app.store.add("Third", "<i>text</i> and more of it", "ada"),
    ]


@pytest.fixture(scope="session", autouse=True)
def whose(record_testsuite_property):
    """Whose `quart` this is goes into the report."""
    record_testsuite_property("quart", quart.Quart.__module__)
