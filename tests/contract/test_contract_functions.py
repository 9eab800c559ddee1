"""Before, after and teardown functions: their order, what their answers do, and that teardown always runs."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Blueprint, Quart


class Boom(Exception):
    pass


@pytest.fixture
def calls() -> list[Any]:
    return []


def nest(app: Quart, kind: Any, calls: list[Any]) -> None:
    """An app with an outer and an inner blueprint, whose functions note that they were called."""

    def note(scaffold: Any, name: str) -> None:
        for number in (1, 2):

            @kind.on(scaffold, "before")
            async def before(number: int = number) -> None:
                calls.append(f"before {name} {number}")

            @kind.on(scaffold, "after")
            async def after(response: Any, number: int = number) -> Any:
                calls.append(f"after {name} {number}")
                return response

            @kind.on(scaffold, "teardown")
            async def teardown(error: Any, number: int = number) -> None:
                calls.append(f"teardown {name} {number}")

    outer, inner, other = (Blueprint(name, __name__) for name in ("outer", "inner", "other"))
    for scaffold, name in ((inner, "inner"), (outer, "outer"), (app, "app"), (other, "other")):
        note(scaffold, name)

    @kind.view(inner, "/deep")
    async def deep() -> Any:
        calls.append("view")
        return await kind.reply("deep")

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)


async def test_the_order_is_inwards_then_outwards(app: Quart, kind: Any, calls: list[Any]) -> None:
    """Before: app, outer blueprint, inner one. After and teardown: inner to app, the last registered first."""
    nest(app, kind, calls)
    outcome = await kind.run(app, "/deep")
    assert outcome.said == "deep"
    assert outcome.succeeded
    inwards = [f"before {name} {number}" for name in ("app", "outer", "inner") for number in (1, 2)]
    outwards = [
        f"{stage} {name} {number}"
        for stage in ("after", "teardown")
        for name in ("inner", "outer", "app")
        for number in (2, 1)
    ]
    assert calls == [*inwards, "view", *outwards]


async def test_functions_of_a_blueprint_for_the_app(app: Quart, kind: Any, calls: list[Any]) -> None:
    """`before_app_…` and its fellows run for connections of other parts, too."""
    blueprint = Blueprint("part", __name__)
    kind.on(blueprint, "before_app")(lambda: calls.append("before"))
    kind.on(blueprint, "after_app")(lambda response: calls.append("after") or response)
    kind.on(blueprint, "teardown_app")(lambda error: calls.append("teardown"))
    app.register_blueprint(blueprint)

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("")

    await kind.run(app)
    assert calls == ["before", "after", "teardown"]


async def test_what_this_connection_asked_for_comes_first(app: Quart, kind: Any, calls: list[Any]) -> None:
    """`after_this_…` functions run in the order they were given, before the after functions."""
    kind.on(app, "after")(lambda response: calls.append("after") or response)

    @kind.view(app, "/<int:number>")
    async def view(number: int) -> Any:
        for name in ("first", "second"):

            async def note(response: Any, name: str = name) -> Any:
                calls.append(f"{name} {number}")
                return response

            kind.function("after_this_{kind}")(note)
        return await kind.reply("")

    await kind.run(app, "/1")
    await kind.run(app, "/2")
    assert calls == ["first 1", "second 1", "after", "first 2", "second 2", "after"]


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_an_answer_of_a_before_function(app: Quart, kind: Any, calls: list[Any], is_async: bool) -> None:
    """It takes the view's place, or refuses the handshake; later before functions and the view are not called."""

    @kind.on(app, "before")
    async def answers() -> Any:
        return "not today", 403

    def answers_too() -> Any:
        return "not today", 403

    if not is_async:
        getattr(app, f"before_{kind.name}_funcs")[None][:] = [answers_too]
    kind.on(app, "before")(lambda: calls.append("second before"))
    kind.on(app, "after")(lambda response: calls.append(response.status_code) or response)
    kind.on(app, "teardown")(lambda error: calls.append(error))

    @kind.view(app, "/")
    async def view() -> Any:
        calls.append("view")
        return await kind.reply("x")

    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (403, "not today")
    assert calls == [403, None]


async def test_after_functions_change_an_answer(app: Quart, kind: Any) -> None:
    """What an after function returns is what the next one gets, and what is sent."""

    @kind.on(app, "after")
    async def last(response: Any) -> Any:
        return await app.make_response((await response.get_data(as_text=True) + " last", response.status_code))

    @kind.on(app, "after")
    async def first(response: Any) -> Any:
        response.headers["x-first"] = "1"
        return await app.make_response((await response.get_data(as_text=True) + " first", 403))

    @kind.view(app, "/")
    async def view() -> Any:
        return "body", 402

    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (403, "body first last")


async def test_every_teardown_function_runs(
    app: Quart, kind: Any, calls: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Also when others fail; and the failures are told."""

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("")

    app.teardown_appcontext(lambda error: calls.append("app context"))

    for number in range(4):

        @kind.on(app, "teardown")
        async def teardown(error: Any, number: int = number) -> None:
            calls.append(number)
            if number % 2:
                raise Boom(f"teardown {number}")

    await kind.run(app)
    assert calls == [3, 2, 1, 0, "app context"]
    assert "Boom: teardown 3" in caplog.text
    assert "Boom: teardown 1" in caplog.text


async def test_teardown_functions_see_the_unhandled_error(app: Quart, kind: Any, calls: list[Any]) -> None:
    """And None, when an error handler took it."""

    @kind.view(app, "/<name>")
    async def view(name: str) -> Any:
        raise {"unhandled": Boom, "handled": LookupError}[name]

    @app.errorhandler(LookupError)
    async def handle(error: Exception) -> Any:
        return "handled", 400

    kind.on(app, "teardown")(lambda error: calls.append(type(error)))
    app.teardown_appcontext(lambda error: calls.append(type(error)))
    await kind.run(app, "/unhandled")
    await kind.run(app, "/handled")
    assert calls == [Boom, Boom, type(None), type(None)]


async def test_teardown_of_the_app_context(app: Quart, kind: Any, calls: list[Any]) -> None:
    """After the connection's own, in the order in which they were registered."""
    kind.on(app, "teardown")(lambda error: calls.append("connection"))
    for name in ("one", "two"):
        app.teardown_appcontext(lambda error, name=name: calls.append(name))

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("")

    await kind.run(app)
    assert calls == ["connection", "one", "two"]


async def test_only_functions_of_its_kind(app: Quart, kind: Any, calls: list[Any]) -> None:
    """A request's functions are not called for a websocket, nor the other way round."""
    other = "websocket" if kind.is_request else "request"
    getattr(app, f"before_{other}")(lambda: calls.append("before"))
    getattr(app, f"after_{other}")(lambda response: calls.append("after"))
    getattr(app, f"teardown_{other}")(lambda error: calls.append("teardown"))

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("x")

    assert (await kind.run(app)).said == "x"
    assert calls == []
