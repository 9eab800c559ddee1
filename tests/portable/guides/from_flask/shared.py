"""What the lines of moving_from_flask.md share: the table of functions, applications, one request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ..rows import Rows

row = Rows()


def flask_app(**options: Any) -> Any:
    from flask import Flask

    app = Flask("shop", root_path=str(folder()), **options)
    app.secret_key = "secret"
    return app


def here_app(**options: Any) -> Any:
    from quart_plug import Quart

    app = Quart("shop", root_path=str(folder()), **options)
    app.secret_key = "secret"
    return app


def folder() -> Path:
    """A folder with a template and a file."""
    made = Path(tempfile.mkdtemp(prefix="guides-"))
    (made / "templates").mkdir()
    (made / "templates" / "page.html").write_text("hello {{ name }}{% macro card(x) %}<{{ x }}>{% endmacro %}")
    (made / "static").mkdir()
    (made / "static" / "a.txt").write_text("a static file")
    (made / "report.txt").write_text("a report")
    return made


def ask_flask(view: Any, method: str = "GET", **options: Any) -> str:
    """The answer of Flask to a request of this view."""
    app = flask_app()
    app.add_url_rule("/", view_func=view, endpoint="view", methods=[method])
    response = app.test_client().open("/", method=method, **options)
    return f"{response.status_code} {response.get_data(as_text=True)}"


async def ask_here(view: Any, method: str = "GET", **options: Any) -> str:
    app = here_app()
    app.add_url_rule("/", view_func=view, endpoint="view", methods=[method])
    response = await app.test_client().open("/", method=method, **options)
    return f"{response.status_code} {await response.get_data(as_text=True)}"
