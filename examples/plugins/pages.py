"""Pages without views: a URL that no route matches is looked for among the templates of a folder.

`pages/about.html` is `/about`, `pages/team/index.html` is `/team/`. They are templates as any others, with the
application's layout, filters and context. A route always wins, and what is in neither is a 404 as before.

    [plugins.pages]
    folder = "pages"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException

from quart_plug import Quart, hookimpl, render_template

if TYPE_CHECKING:
    from quart_plug.ctx import Context

# No part begins with a dot or an underscore: `..` does not lead out, and layouts and macros are no pages.
PATH = re.compile(r"(/[A-Za-z0-9][\w.-]*)*/?")


@dataclass
class Pages:
    """folder  of the pages, relative to the application's."""

    folder: Path = Path("pages")


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Pages


@hookimpl
def template_folders(app: Quart) -> Iterable[str]:
    return [str(Path(app.root_path, app.plugin_config(Pages).folder))]


@hookimpl
async def route_unmatched(ctx: Context, error: HTTPException) -> Any:
    if ctx.kind is None or ctx.kind.name != "request" or error.code != 404 or ctx.request.method not in ("GET", "HEAD"):
        return None
    path = ctx.request.path
    if not PATH.fullmatch(path):
        return None
    name = f"{path}index.html" if path.endswith("/") else f"{path}.html"
    try:
        return await render_template(name.removeprefix("/"))
    except TemplateNotFound as missing:
        if missing.name == name.removeprefix("/"):
            return None
        raise  # the page is there, and includes one that is not
