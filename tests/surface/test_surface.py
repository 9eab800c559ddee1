"""Every public name of Quart 0.22 is here, of the same kind, and can be called in the same ways."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, Response, request
from tests.support.surface import FACTS, Place, facts, members, module, places

# What differs on purpose, each with the reason. It is printed at the end of the run of this file, and stays short.
EXCEPTIONS = {
    "typing.TestClientProtocol.set_cookie": "without `charset`, which Quart's own client does not take either",
    "request.body_timeout": "the application's setting, BODY_TIMEOUT, holds for a request of a test as well",
    "globals._cv_request": "one ContextVar serves all kinds; this is its view of requests, with get, set and reset",
    "globals._cv_websocket": "the same for websockets",
}


def name_of(place: Place) -> str:
    return f"{place.module}.{place.name}".lstrip(".")


def unless_excepted(name: str) -> AbstractContextManager[Any]:
    """What an exception is made for has to differ indeed: one that is not needed any more fails."""
    return pytest.raises(AssertionError) if name in EXCEPTIONS else nullcontext()


EVERY_PLACE = [pytest.param(place, id=name_of(place)) for place in places()]
EVERY_MEMBER = [
    pytest.param(place, name, said, id=f"{name_of(place)}.{name}") for place, name, said in members()
]


# Present -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", EVERY_PLACE)
def test_the_name_is_there_and_the_same_object_as_at_its_home(place: Place) -> None:
    found = getattr(module(place.module), place.name)

    assert found is getattr(module(place.home), place.name)


KINDS: dict[str, Callable[[Any], bool]] = {
    "class": inspect.isclass,
    "function": callable,
    "NamedSignal": lambda found: all(hasattr(found, name) for name in ("connect", "send", "send_async", "disconnect")),
    "LocalProxy": lambda found: hasattr(found, "_get_current_object"),
    "ContextVar": lambda found: isinstance(found, ContextVar),
    "bool": lambda found: isinstance(found, bool),
    "str": lambda found: isinstance(found, str),
    "int": lambda found: isinstance(found, int | float),
    "set": lambda found: isinstance(found, set | frozenset),
    "frozenset": lambda found: isinstance(found, set | frozenset),
    "object": lambda found: found is not None,
    "_UnionGenericAlias": lambda found: found is not None,
    "_CallableGenericAlias": lambda found: found is not None,
    "UnionType": lambda found: found is not None,
    "QuartGroup": lambda found: hasattr(found, "commands"),
    "Option": lambda found: hasattr(found, "opts"),
    "StreamHandler": lambda found: hasattr(found, "emit"),
}


@pytest.mark.parametrize("place", EVERY_PLACE)
def test_the_name_is_of_the_same_kind(place: Place) -> None:
    found = getattr(module(place.module), place.name)

    with unless_excepted(name_of(place)):
        assert KINDS[place.fact["kind"]](found), f"{found!r} is no {place.fact['kind']}"


# Signatures ----------------------------------------------------------------------------------------------------------


@cache
def signature_of(text: str) -> inspect.Signature:
    """The signature that a line of the facts describes; a default that is no literal is `...`."""
    text = re.sub(r"<[^>]*>|\bno value\b|\bdefaultdict\(.*?\)|\bdatetime\.timedelta\(.*?\)", "...", text)
    node = ast.parse(f"def function{text}: pass").body[0]
    assert isinstance(node, ast.FunctionDef)
    arguments = node.args
    parameters = []
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[Any] = [inspect.Parameter.empty] * (len(positional) - len(arguments.defaults))
    for argument, default in zip(positional, [*defaults, *map(literal, arguments.defaults)], strict=True):
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if argument in arguments.posonlyargs:
            kind = inspect.Parameter.POSITIONAL_ONLY
        parameters.append(inspect.Parameter(argument.arg, kind, default=default))
    if arguments.vararg is not None:
        parameters.append(inspect.Parameter(arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    for argument, node_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        value = inspect.Parameter.empty if node_default is None else literal(node_default)
        parameters.append(inspect.Parameter(argument.arg, inspect.Parameter.KEYWORD_ONLY, default=value))
    if arguments.kwarg is not None:
        parameters.append(inspect.Parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)


def literal(node: ast.AST) -> Any:
    try:
        return ast.literal_eval(node)  # type: ignore[arg-type]
    except ValueError:
        return ...


def differences(theirs: inspect.Signature, ours: inspect.Signature) -> list[str]:
    """Why a call that Quart takes would not be taken, or would mean something else."""
    found = []
    own = ours.parameters
    takes_any = {parameter.kind for parameter in own.values()}
    order = [p.name for p in own.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    place = -1
    if all(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in theirs.parameters.values()):
        return []  # (*args, **kwargs): a decorator's, that says nothing
    for name, parameter in theirs.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if parameter.kind not in takes_any:
                found.append(f"does not take {parameter}")
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY:
            place += 1
            if order[place : place + 1] != [name]:
                there = f"there is {order[place]}" if place < len(order) else "there is nothing"
                if inspect.Parameter.VAR_POSITIONAL not in takes_any:
                    found.append(f"the argument {place} is to be {name}, {there}")
                continue
        if name not in own:
            if parameter.VAR_KEYWORD not in takes_any:
                found.append(f"does not take {name}=")
            continue
        if own[name].kind is parameter.POSITIONAL_ONLY is not parameter.kind and name != "self":
            found.append(f"{name} cannot be given by name")
        if parameter.default is not parameter.empty and own[name].default is parameter.empty:
            found.append(f"{name} has no default")
        elif isinstance(parameter.default, str | int | bool | None) and own[name].default != parameter.default:
            found.append(f"{name} is {own[name].default!r} by default, and not {parameter.default!r}")
    for name, parameter in own.items():
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if required and name not in theirs.parameters and not theirs_takes(theirs, parameter):
            found.append(f"asks for {name}, which Quart does not know")
    return found


def theirs_takes(theirs: inspect.Signature, parameter: inspect.Parameter) -> bool:
    """Whether a required argument of ours has another name there, in the same place."""
    return any(each.kind is each.VAR_POSITIONAL for each in theirs.parameters.values())


def check(said: str | None, found: Any) -> None:
    if said is None:
        return
    unlike = differences(signature_of(said), inspect.signature(found))
    assert not unlike, f"\n  {said}\n  {inspect.signature(found)}\n  {'; '.join(unlike)}"


@pytest.mark.parametrize("place", EVERY_PLACE)
def test_a_function_or_class_is_called_in_the_same_ways(place: Place) -> None:
    if place.module == place.home and place.fact["kind"] in ("class", "function"):
        check(place.fact.get("signature"), getattr(module(place.module), place.name))


@pytest.mark.parametrize(("place", "member", "said"), EVERY_MEMBER)
def test_a_member_is_there_and_called_in_the_same_ways(place: Place, member: str, said: str) -> None:
    class_ = getattr(module(place.module), place.name)
    static = inspect.getattr_static(class_, member)

    if not said.startswith("(") or isinstance(inspect.unwrap(static), type(dict.get)):
        return  # no method, or one of Python's own
    found = getattr(class_, member)
    assert callable(found)
    signature = said
    if isinstance(static, classmethod):
        signature = re.sub(r"^\(cls(, )?", "(", said)
    with unless_excepted(f"{name_of(place)}.{member}"):
        check(signature, found)


# What has to be awaited ----------------------------------------------------------------------------------------------

AWAITED = json.loads((FACTS / "awaited.json").read_text())


@pytest.mark.parametrize("name", sorted(AWAITED))
def test_what_is_awaited_there_is_awaited_here(name: str) -> None:
    path = name.removeprefix("quart.")
    found: Any = None
    for place in places():
        if path == name_of(place) or path.startswith(f"{name_of(place)}."):
            found = getattr(module(place.module), place.name)
            for part in path.removeprefix(name_of(place)).split(".")[1:]:
                found = inspect.getattr_static(found, part)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    found = inspect.unwrap(found)

    returned = str(inspect.signature(found).return_annotation)
    if AWAITED[name] == "coroutine":  # a Resource can be awaited, too
        assert inspect.iscoroutinefunction(found) or re.search("Awaitable|Coroutine|Resource", returned)
    else:
        assert inspect.isasyncgenfunction(found) or returned.startswith("AsyncGenerator")


# Instances and settings ----------------------------------------------------------------------------------------------

SAME_SHAPE: dict[str, tuple[type, ...]] = {
    "defaultdict": (dict,),
    "dict": (dict,),
    "list": (list,),
    "set": (set, frozenset),
    "str": (str,),
    "bytes": (bytes,),
    "bool": (bool,),
    "NoneType": (type(None),),
}



async def instances() -> dict[str, Any]:
    app = Quart("tests.surface")
    async with app.test_request_context("/no-such-page"):
        current = request._get_current_object()
    return {
        "Quart()": app,
        "Blueprint()": Blueprint("name", "tests.surface"),
        "Response()": Response(""),
        "request": current,
        "test_client()": app.test_client(),
    }


@pytest.mark.parametrize(
    ("owner", "name", "kind"),
    [(owner, name, kind) for owner, names in facts()["(instances)"].items() for name, kind in names.items()],
)
async def test_an_instance_has_the_attribute(owner: str, name: str, kind: str) -> None:
    instance = (await instances())[owner]
    value = getattr(instance, name)

    with unless_excepted(f"{owner}.{name}"):
        if kind in SAME_SHAPE:
            assert isinstance(value, SAME_SHAPE[kind]), f"{value!r} is no {kind}"
        elif kind not in ("object", "ellipsis"):
            assert kind in {each.__name__ for each in type(value).__mro__}, f"{value!r} is no {kind}"


@pytest.mark.parametrize(("key", "value"), sorted(facts()["(configuration defaults)"].items()))
def test_the_setting_has_the_same_default(key: str, value: str) -> None:
    assert repr(Quart("tests.surface").config[key]) == value


def test_the_exceptions_are_few_and_each_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    known = {name_of(place) for place in places()} | {f"{name_of(place)}.{member}" for place, member, _ in members()}
    with capsys.disabled():
        print("\nwhere quart-plug differs from Quart's surface:")
        for name, reason in EXCEPTIONS.items():
            print(f"  {name}: {reason}")

    assert len(EXCEPTIONS) <= 6
    assert not EXCEPTIONS.keys() - known - {"request.body_timeout"}
