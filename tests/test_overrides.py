"""Which form an override was written in, and how it is called."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.ctx import Context
from quart_plug.overrides import ARGUMENTS, adapt, adapt_async, override_of

CTX = object()


def record(source: str) -> Any:
    """A function with these parameters that returns what it is given, by name."""
    names = [part.strip().lstrip("*").split("=")[0].split(":")[0] for part in source.split(",") if part.strip(" */")]
    given = ", ".join(f"{name}={name}" for name in names)
    namespace: dict[str, Any] = {}
    exec(f"from __future__ import annotations\ndef f({source}): return dict({given})", namespace)
    return namespace["f"]


CASES = [
    ("finalize", "result, request_context=None, from_error_handler=False", ("r", True), ("r", CTX, True)),
    ("finalize", "result", ("r", True), ("r",)),
    ("finalize", "ctx, result, from_error_handler=False", ("r", True), (CTX, "r", True)),
    ("process", "response, request_context=None", ("r",), ("r", CTX)),
    ("process", "response", ("r",), ("r",)),
    ("process", "ctx, response", ("r",), (CTX, "r")),
    ("process", "c: AppContext, response", ("r",), (CTX, "r")),
    ("teardown", "exc, request_context=None", ("e",), ("e", CTX)),
    ("teardown", "ctx, exc=None", ("e",), (CTX, "e")),
    ("teardown_app", "exc", ("e",), ("e",)),
    ("teardown_app", "ctx, exc=None", ("e",), (CTX, "e")),
    ("preprocess", "request_context=None", (), (CTX,)),
    ("preprocess", "", (), ()),
    ("preprocess", "anything", (), (CTX,)),
    ("handle_exception", "error", ("e",), ("e",)),
    ("handle_exception", "ctx, error", ("e",), (CTX, "e")),
    ("handle_exception", "context, error", ("e",), (CTX, "e")),
    ("make_response", "result", ("r",), ("r",)),
    ("make_default_options_response", "", (), ()),
    ("make_default_options_response", "ctx", (), (CTX,)),
    ("log_exception", "exception_info", ("i",), ("i",)),
    ("log_exception", "ctx, exception_info", ("i",), (CTX, "i")),
]


@pytest.mark.parametrize(("step", "parameters", "given", "expected"), CASES)
async def test_forms(step: str, parameters: str, given: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    function = record(parameters)
    assert tuple(adapt(function, step)(CTX, *given).values()) == expected
    assert tuple((await adapt_async(function, step)(CTX, *given)).values()) == expected


@pytest.mark.parametrize("step", ARGUMENTS)
def test_variadic_overrides_get_022s_order(step: str) -> None:
    values = [f"value {name}" for name in ARGUMENTS[step] if name != "ctx"]
    expected = [CTX if name == "ctx" else f"value {name}" for name in ARGUMENTS[step]]
    assert list(adapt(lambda *given, **named: given, step)(CTX, *values)) == expected


def test_what_is_an_override() -> None:
    class Sub(Quart):
        async def dispatch_request(self, *args: Any) -> Any: ...

    class SubSub(Sub):
        pass

    app = SubSub(__name__)
    assert override_of(Quart(__name__), "dispatch_request") is None
    assert override_of(app, "dispatch_request") == app.dispatch_request
    assert override_of(app, "preprocess_request") is None
    app.preprocess_request = print  # type: ignore[method-assign, assignment]
    assert override_of(app, "preprocess_request") is print
    Sub.finalize_request = Quart.finalize_request  # type: ignore[method-assign]
    assert override_of(app, "finalize_request") is None


async def test_the_signatures_are_022s() -> None:
    import inspect

    assert str(inspect.signature(Quart.finalize_request)) == (
        "(self, result, request_context=None, from_error_handler=False)"
    )
    assert str(inspect.signature(Quart.do_teardown_websocket)) == "(self, exc, websocket_context=None)"


@pytest.mark.parametrize("name", ["ctx", "request_context"])
async def test_the_context_by_name(name: str) -> None:
    app = Quart(__name__)
    app.add_url_rule("/", "view", lambda: "x")
    async with app.test_request_context("/") as ctx:
        assert isinstance(ctx, Context)
        assert await app.preprocess_request(**{name: ctx}) is None
        assert await app.dispatch_request(**{name: ctx}) == "x"
        response = await app.full_dispatch_request(**{name: ctx})
        assert (await app.finalize_request("a", **{name: ctx})).status_code == response.status_code
