"""The cases in Flask's API; the very same code for quart-plug and for Quart."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from cases import ITEMS, PAGE


def build(framework: Any, case: str, closed: type[BaseException]) -> Any:
    """An app of `framework` (a module with Quart's names) for a case."""
    request, session, websocket = framework.request, framework.session, framework.websocket
    folder = Path(tempfile.mkdtemp())
    app = framework.Quart("bench", root_path=str(folder))
    app.secret_key = "a secret of the benchmark" if case == "page" else None

    @app.get("/")
    async def plain() -> str:
        return "Hello, World!"

    @app.get("/json")
    async def as_json() -> dict[str, Any]:
        return {"message": "Hello, World!", "id": 7, "ok": True}

    @app.get("/user/<int:id>/posts/<slug>")
    async def param(id: int, slug: str) -> dict[str, Any]:
        return {"id": id, "slug": slug}

    @app.post("/echo")
    async def echo() -> Any:
        return await request.get_json()

    @app.get("/suspend")
    async def suspend() -> str:
        await asyncio.sleep(0)
        return "Hello, World!"

    @app.get("/header")
    async def header() -> str:
        value: str = request.headers["User-Agent"]
        return value

    @app.websocket("/ws")
    async def ws() -> None:
        try:
            while True:
                await websocket.send_json(await websocket.receive_json())
        except closed:
            pass

    if case == "after":

        @app.after_request
        async def after(response: Any) -> Any:
            return response

    if case == "after, header":

        @app.after_request
        async def after_header(response: Any) -> Any:
            response.headers["X-After"] = "1"
            return response

    if case == "page":
        (folder / "templates").mkdir()
        (folder / "templates" / "page.html").write_text(PAGE)

        @app.before_request
        async def before() -> None:
            framework.g.user = "Ada"

        @app.after_request
        async def after_page(response: Any) -> Any:
            return response

        @app.teardown_request
        async def teardown(error: BaseException | None) -> None:
            framework.g.pop("user")

        @app.get("/page")
        async def page() -> str:
            session["visits"] = session.get("visits", 0) + 1
            rendered: str = await framework.render_template(
                "page.html", title="Items", items=ITEMS, visits=session["visits"]
            )
            return rendered

    return app
