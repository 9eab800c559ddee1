"""A step that a subclass overrides in 0.22's form or in 0.23's can be called by code that knows only the other form."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.ctx import Context


def subclass(form: str) -> tuple[type[Quart], list[Any]]:
    seen: list[Any] = []

    class Old(Quart):
        async def do_teardown_request(self, exc: Any, request_context: Any = None) -> None:
            seen.append((exc, request_context))

        async def finalize_request(
            self, result: Any, request_context: Any = None, from_error_handler: bool = False
        ) -> Any:
            seen.append((result, request_context, from_error_handler))
            return await super().finalize_request(result, request_context, from_error_handler)

        async def handle_user_exception(self, error: Exception) -> Any:
            seen.append(error)
            return "handled"

        def log_exception(self, exception_info: Any) -> None:
            seen.append(exception_info)

        async def dispatch_request(self, request_context: Any = None) -> Any:
            seen.append(request_context)
            return "dispatched"

    class New(Quart):
        async def do_teardown_request(self, ctx: Any, exc: Any = None) -> None:  # type: ignore[override]
            seen.append((exc, ctx))

        async def finalize_request(  # type: ignore[override]
            self, ctx: Any, result: Any, from_error_handler: bool = False
        ) -> Any:
            seen.append((result, ctx, from_error_handler))
            return await super().finalize_request(ctx, result, from_error_handler)

        async def handle_user_exception(self, ctx: Any, error: Exception) -> Any:  # type: ignore[override]
            assert isinstance(ctx, Context)
            seen.append(error)
            return "handled"

        def log_exception(self, ctx: Any, exception_info: Any) -> None:  # type: ignore[override]
            assert isinstance(ctx, Context)
            seen.append(exception_info)

        async def dispatch_request(self, ctx: Any) -> Any:
            assert isinstance(ctx, Context)
            seen.append(ctx)
            return "dispatched"

    return (Old if form == "0.22" else New), seen


@pytest.mark.parametrize("called", ["0.22", "0.23"])
@pytest.mark.parametrize("written", ["0.22", "0.23"])
async def test_an_override_is_called_in_either_form(written: str, called: str) -> None:
    class_, seen = subclass(written)
    app: Any = class_(__name__)
    error = LookupError()
    info = (LookupError, error, None)
    async with app.test_request_context("/") as ctx:
        if called == "0.22":
            await app.do_teardown_request(error, ctx)
            response = await app.finalize_request("text", request_context=ctx, from_error_handler=True)
            assert await app.handle_user_exception(error) == "handled"
            app.log_exception(info)
            assert await app.dispatch_request(ctx) == "dispatched"
        else:
            await app.do_teardown_request(ctx, error)
            response = await app.finalize_request(ctx, "text", from_error_handler=True)
            assert await app.handle_user_exception(ctx, error) == "handled"
            app.log_exception(ctx, info)
            assert await app.dispatch_request(ctx) == "dispatched"
        assert await response.get_data(as_text=True) == "text"
        assert seen == [(error, ctx), ("text", ctx, True), error, info, ctx]


async def test_the_current_context_stands_in_for_one_that_is_not_given() -> None:
    class_, seen = subclass("0.23")
    app: Any = class_(__name__)
    async with app.test_request_context("/") as ctx:
        await app.do_teardown_request(None)
        assert seen == [(None, ctx)]
        assert await app.dispatch_request() == "dispatched"


@pytest.mark.parametrize("outer", ["0.22", "0.23"])
@pytest.mark.parametrize("inner", ["0.22", "0.23"])
async def test_forms_are_mixed_in_a_chain_of_classes(inner: str, outer: str) -> None:
    class_, seen = subclass(inner)

    class Old(class_):  # type: ignore[valid-type, misc]
        async def do_teardown_request(self, exc: Any, request_context: Any = None) -> None:
            await super().do_teardown_request(exc, request_context)

    class New(class_):  # type: ignore[valid-type, misc]
        async def do_teardown_request(self, ctx: Any, exc: Any = None) -> None:
            await super().do_teardown_request(ctx, exc)

    app: Any = (Old if outer == "0.22" else New)(__name__)

    @app.route("/")
    async def index() -> str:
        return "a"

    await app.test_client().get("/")

    assert [each[0] for each in seen if isinstance(each, tuple) and len(each) == 2] == [None]
    assert isinstance(seen[-1][1], Context)
