"""`receive_json(type=…)`: messages become values of a type, and what does not fit is told with its place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
import pytest

from quart_plug import BadRequest, Quart, hookimpl, websocket
from quart_plug.conversion import SchemaError
from quart_plug.exceptions import InvalidJSON, InvalidMessage
from quart_plug.testing import WebsocketDisconnectError


@dataclass
class Item:
    name: str
    price: float = 0.0


@dataclass
class Order:
    items: list[Item]
    due: date | None = None
    tags: set[str] = field(default_factory=set)


@dataclass
class Join:
    kind: Literal["join"]
    room: str


@dataclass
class Leave:
    kind: Literal["leave"]


class Words(TypedDict):
    text: str
    next: NotRequired[Words]


class Point(msgspec.Struct):
    x: int
    seen: dict[int, list[date]] = {}


class Get(msgspec.Struct, tag=True):
    key: str


class Put(msgspec.Struct, tag=True):
    key: str
    value: int


class User(pydantic.BaseModel):
    name: Annotated[str, pydantic.Field(min_length=2)]
    born: date | None = None
    friends: list[User] = []
    seen_at: int = pydantic.Field(0, alias="seenAt")


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    size: int


class Strict(pydantic.BaseModel, strict=True):
    born: date
    size: int


Pet = Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


@dataclass
class Mixed:
    user: User
    points: list[Point]


Ask = Callable[[Any, Any], Awaitable[Any]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """`await ask(type, message)`: what a view gets for the message, the value or the InvalidMessage; on one open
    connection, which has to work in the end as it did in the beginning."""
    app = Quart(__name__)
    wanted: asyncio.Queue[Any] = asyncio.Queue()
    given: list[Any] = []

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        while (type := await wanted.get()) is not None:
            try:
                given.append(await websocket.receive_json(type=type))
            except InvalidMessage as error:
                given.append(error)
            await websocket.send("done")

    async with app.test_client().websocket("/") as connection:

        async def ask(type: Any, message: Any) -> Any:
            wanted.put_nowait(type)
            await connection.send(json.dumps(message))
            assert await connection.receive() == "done"
            return given.pop()

        yield ask
        assert await ask(int, 1) == 1  # it is open
        wanted.put_nowait(None)


FITS: list[tuple[Any, Any, Any]] = [
    (int, 3, 3),
    (int | str, "a", "a"),
    (list[Item], [{"name": "a", "price": 2}], [Item("a", 2.0)]),
    (
        Order,
        {"items": [{"name": "a"}], "due": "2030-12-31", "tags": ["x", "x"]},
        Order([Item("a")], date(2030, 12, 31), {"x"}),
    ),
    (Join | Leave, {"kind": "leave"}, Leave("leave")),
    (Words, {"text": "a", "next": {"text": "b"}}, {"text": "a", "next": {"text": "b"}}),
    (Point, {"x": 1, "seen": {"4": ["2030-01-02"]}}, Point(1, {4: [date(2030, 1, 2)]})),
    (Get | Put, {"type": "Put", "key": "a", "value": 2}, Put("a", 2)),
    (Get | Put | None, None, None),
    (User, {"name": "Ada", "born": "1815-12-10", "seenAt": "7"}, User(name="Ada", born=date(1815, 12, 10), seenAt=7)),
    (Pet, {"kind": "dog", "size": 3}, Dog(kind="dog", size=3)),
    (Strict, {"born": "1815-12-10", "size": 3}, Strict(born=date(1815, 12, 10), size=3)),
    (pydantic.TypeAdapter(list[Cat]), [{"kind": "cat"}], [Cat(kind="cat")]),
    (Annotated[int, pydantic.Field(gt=2)], 3, 3),
    (Annotated[int, msgspec.Meta(gt=2)], 3, 3),
    (Mixed, {"user": {"name": "Ada"}, "points": [{"x": 1}]}, Mixed(User(name="Ada"), [Point(1)])),
    (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
]


async def test_what_fits(ask: Ask) -> None:
    for type, message, value in FITS:
        assert await ask(type, message) == value, type


UNFIT: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    (int, "a", [("", "has to be an integer, not 'a'")]),
    (int, True, [("", "has to be an integer, not True")]),
    (Strict, {"born": "1815-12-10", "size": "3"}, [("size", "is not accepted: Input should be a valid integer")]),
    (
        Order,
        {"items": [{"name": "a"}, {"name": 1, "prize": 2}]},
        [
            ("items[1].name", "has to be a text, not 1"),
            ("items[1].prize", "is an unknown key (did you mean 'price'?)"),
        ],
    ),
    (Order, {}, [("items", "is missing, it has to be a list")]),
    (Join | Leave, {"kind": "stay"}, [("kind", "has to be 'leave', not 'stay'")]),
    (
        Words,
        {"text": "a", "next": {"txt": 1}},
        [("next.text", "is missing, it has to be a text"), ("next.txt", "is an unknown key (did you mean 'text'?)")],
    ),
    (Point, [1], [("", "is not accepted: Expected `object`, got `array`")]),
    (Point, {"y": 1}, [("x", "is missing")]),
    (Point, {"x": 1, "seen": {"1": ["soon"]}}, [("seen['...'][0]", "is not accepted: Invalid RFC3339 encoded date")]),
    (list[Point], [{"x": 1}, {"x": None}], [("[1].x", "is not accepted: Expected `int`, got `null`")]),
    (Get | Put, {"type": "Put", "key": 1}, [("key", "is not accepted: Expected `str`, got `int`")]),
    (
        User,
        {"name": "A", "friends": [{}]},
        [
            ("name", "is not accepted: String should have at least 2 characters"),
            ("friends[0].name", "is missing"),
        ],
    ),
    (Pet, {"kind": "dog"}, [("dog.size", "is missing")]),
    (Annotated[int, pydantic.Field(gt=2)], 2, [("", "is not accepted: Input should be greater than 2")]),
    (
        Mixed,
        {"user": {}, "points": [{"x": "1"}]},
        [("user.name", "is missing"), ("points[0].x", "is not accepted: Expected `int`, got `str`")],
    ),
]


async def test_what_does_not_fit_is_told_with_its_place(ask: Ask) -> None:
    for type, message, errors in UNFIT:
        error = await ask(type, message)
        assert isinstance(error, InvalidMessage) and isinstance(error, BadRequest), (type, error)
        assert [(each["path"], each["message"]) for each in error.errors] == errors, type
        for path, words in errors:
            assert f"{path or 'it'}" in str(error.description) and words in str(error.description)
        assert error.code == 400


async def test_the_errors_can_be_sent_to_the_client() -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def view() -> None:
        try:
            await websocket.receive_json(type=Order)
        except InvalidMessage as error:
            await websocket.send_json(errors=error.errors)

    async with app.test_client().websocket("/") as connection:
        await connection.send_json({"items": "none"})
        assert await connection.receive_json() == {
            "errors": [{"path": "items", "message": "has to be a list, not 'none'"}]
        }


async def test_of_many_faults_the_words_tell_a_few(ask: Ask) -> None:
    error = await ask(list[int], ["x"] * 100_000)
    assert len(error.errors) == 100
    assert error.description.startswith("The message is no list[int]: [0]: has to be an integer")
    assert error.description.endswith("; and 95 more")


BOMBS = {
    "nested": "[" * 200_000,
    "nested and closed": "[" * 100_000 + "]" * 100_000,
    "objects": '{"a":' * 100_000,
    "a huge integer": "9" * 100_000,
    "a number too large for a double": "1" + "0" * 400,
    "not a number": "NaN",
    "infinity": '{"x": Infinity}',
    "half a surrogate": '"\\ud800"',
}


@pytest.mark.parametrize("type", [Any, int, float, list[int], Words, Order, Point, User], ids=str)
async def test_bombs_are_bad_requests(type: Any) -> None:
    """Whatever strangers send is either a value or a BadRequest, and the connection goes on."""
    app = Quart(__name__)
    seen = []

    @app.websocket("/")
    async def view() -> None:
        while True:
            try:
                seen.append(repr(await websocket.receive_json(type=type)))
            except BadRequest as error:
                seen.append(error.__class__.__name__)
            await websocket.send("next")

    async with app.test_client().websocket("/") as connection:
        for bomb in BOMBS.values():
            await connection.send(bomb)
            assert await connection.receive() == "next"
    assert len(seen) == len(BOMBS)
    assert seen[0] == seen[2] == seen[3] == "InvalidJSON"


async def test_no_json_is_told_apart_from_what_does_not_fit() -> None:
    app = Quart(__name__)
    seen = []

    @app.websocket("/")
    async def view() -> None:
        for _ in range(2):
            try:
                await websocket.receive_json(type=int)
            except BadRequest as error:
                seen.append(error)

    async with app.test_client().websocket("/") as connection:
        await connection.send("{")
        await connection.send("{}")
    assert [type(error) for error in seen] == [InvalidJSON, InvalidMessage]


async def test_a_time_limit_and_a_type() -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        try:
            await websocket.receive_json(10, type=Item)
        except TimeoutError:
            await websocket.send("late")
        await websocket.send_json(await websocket.receive_json(timeout=10, type=Item))

    client = app.test_client()
    async with client.websocket("/") as connection:
        await connection.accept()
        await client.clock.advance(11)
        assert await connection.receive() == "late"
        await connection.send_json({"name": "a"})
        assert await connection.receive_json() == {"name": "a", "price": 0.0}


async def test_hooks_and_the_json_provider_come_before_the_type() -> None:
    class Upper:
        @hookimpl
        async def websocket_received(self, message: str | bytes) -> str | bytes:
            return message.upper()

    app = Quart(__name__, plugins=[Upper()])
    provider = app.json

    class Decimals(type(provider)):  # type: ignore[misc]  # known when it runs
        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return super().loads(s, parse_float=Decimal, **kwargs)

    app.json = Decimals(app)
    seen = []

    @app.websocket("/")
    async def view() -> None:
        seen.append(await websocket.receive_json(type=tuple[str, Decimal]))

    async with app.test_client().websocket("/") as connection:
        await connection.send('["a", 1.10]')
    assert seen == [("A", Decimal("1.10"))]


class Lines:
    """A language for a subprotocol: an object as lines."""

    media_types = ("application/x-lines",)
    subprotocol = "lines"

    def dumps(self, obj: Any) -> bytes:
        if not isinstance(obj, dict):
            raise TypeError("only objects")
        return "\n".join(f"{name}={value}" for name, value in obj.items()).encode()

    def loads(self, data: bytes) -> Any:
        return dict(line.split("=") for line in data.decode().split("\n"))


async def test_a_codec_comes_before_the_type() -> None:
    class Speaking:
        @hookimpl
        def content_types(self) -> list[Any]:
            return [Lines()]

    app = Quart(__name__, plugins=[Speaking()])

    @app.websocket("/", subprotocols=["lines"])
    async def view() -> None:
        await websocket.accept()
        await websocket.send_json(await websocket.receive_json(type=Words))
        await websocket.send_json(Item("a", 2))
        await websocket.send_json(Point(3))
        await websocket.send_json(Cat(kind="cat"))
        with pytest.raises(TypeError, match="only objects"):
            await websocket.send_json([1])

    async with app.test_client().websocket("/", subprotocols=["lines"]) as connection:
        await connection.send(b"text=a")
        assert [await connection.receive() for _ in range(4)] == [
            *(b"text=a", b"name=a\nprice=2", b"x=3\nseen={}", b"kind=cat"),
        ]


async def test_instances_are_sent_as_what_they_are_made_of() -> None:
    app = Quart(__name__)
    born = date(2030, 1, 2)

    @app.websocket("/")
    async def view() -> None:
        await websocket.send_json(Item("a", 1))
        await websocket.send_json([Point(1, {2: [born]}), User(name="Ada", born=born, seenAt=3)])
        await websocket.send_json(user=Mixed(User(name="Ada"), [Point(1)]))

    async with app.test_client().websocket("/") as connection:
        assert await connection.receive_json() == {"name": "a", "price": 1}
        assert await connection.receive_json() == [
            {"x": 1, "seen": {"2": ["2030-01-02"]}},
            {"name": "Ada", "born": "2030-01-02", "friends": [], "seenAt": 3},
        ]
        assert (await connection.receive_json())["user"]["points"] == [{"x": 1, "seen": {}}]


async def test_a_type_that_no_data_can_stand_for_is_the_programs_mistake() -> None:
    class Thing:
        pass

    app = Quart(__name__)
    told = []

    @app.websocket("/")
    async def view() -> None:
        try:
            await websocket.receive_json(type=Thing)
        except SchemaError as error:
            told.append(str(error))

    async with app.test_client().websocket("/") as connection:
        await connection.send("1")
    assert told and "Thing" in told[0] and "a dataclass" in told[0]


async def test_a_subclass_whose_receive_takes_nothing() -> None:
    """As Quart's: `receive_json` goes through it."""
    from quart_plug import Websocket

    class Own(Websocket):
        async def receive(self) -> str | bytes:  # type: ignore[override]  # Quart's signature
            return (await super().receive()).replace("x", "y")  # type: ignore[arg-type]

    app = Quart(__name__)
    app.websocket_class = Own
    seen = []

    @app.websocket("/")
    async def view() -> None:
        seen.append(await websocket.receive_json(type=Item))

    async with app.test_client().websocket("/") as connection:
        await connection.send_json({"name": "xx"})
    assert seen == [Item("yy")]


async def test_what_is_not_caught_closes_with_1011() -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def view() -> None:
        await websocket.receive_json(type=int)

    app.logger.disabled = True
    async with app.test_client().websocket("/") as connection:
        await connection.send("{}")
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
    assert caught.value.code == 1011


async def test_the_libraries_are_not_imported_for_other_types() -> None:
    import sys

    program = """
import asyncio, sys
from dataclasses import dataclass
from quart_plug import Quart, websocket
@dataclass
class Item:
    name: str
app = Quart("app")
@app.websocket("/")
async def view():
    await websocket.send_json(await websocket.receive_json(type=list[Item]))
async def main():
    async with app.test_client().websocket("/") as connection:
        await connection.send('[{"name": "a"}]')
        assert await connection.receive_json() == [{"name": "a"}]
asyncio.run(main())
print(sorted({"msgspec", "pydantic"} & sys.modules.keys()))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"[]\n")
