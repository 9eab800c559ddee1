"""One function marked `@hookimpl`, compared with the specification of its hook.

    hook-name       there is no such hook
    hook-argument   the hook has no such argument, or it is of another type
    hook-result     the hook has no use for such a result
    hook-colour     a coroutine function or a generator where the hook cannot take one, or the other way round

The rules are those that hold when a plugin is loaded (hooks/validation.py), and types beside: an argument may be
annotated with a type that is wider than the specification's, a result with a narrower one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mypy.erasetype import erase_typevars
from mypy.errorcodes import ErrorCode
from mypy.messages import format_type
from mypy.nodes import (
    ARG_POS,
    ARG_STAR,
    CallExpr,
    Context,
    Decorator,
    Expression,
    FuncDef,
    NameExpr,
    RefExpr,
    StrExpr,
    SymbolTableNode,
)
from mypy.plugin import FunctionContext, MethodContext
from mypy.subtypes import is_subtype
from mypy.types import AnyType, CallableType, Instance, Type, UnionType, get_proper_type

from ..hooks.suggestions import did_you_mean
from .reading import Catalogue, Specification

HOOKIMPL = "quart_plug.hooks.markers.hookimpl"
MARKER = "quart_plug.hooks.markers.Marker"

NAME = ErrorCode("hook-name", "Check that implemented hooks exist", "quart-plug")
ARGUMENT = ErrorCode("hook-argument", "Check the arguments of hook implementations", "quart-plug")
RESULT = ErrorCode("hook-result", "Check the results of hook implementations", "quart-plug")
COLOUR = ErrorCode("hook-colour", "Check whether hook implementations may be asynchronous", "quart-plug")

_GENERATORS = (
    "typing.AsyncGenerator",
    "typing.AsyncIterator",
    "typing.AsyncIterable",
    "collections.abc.AsyncGenerator",
    "collections.abc.AsyncIterator",
)
_AWAITABLES = ("typing.Awaitable", "typing.Coroutine")

Lookup = Callable[[str], SymbolTableNode | None]


def check_decorator(ctx: FunctionContext | MethodContext, catalogue: Catalogue, lookup: Lookup) -> None:
    """Check what `@hookimpl`, or the result of `@hookimpl(…)`, was applied to as a decorator."""
    decorator = ctx.context
    if not isinstance(decorator, Decorator) or not ctx.arg_types or not ctx.arg_types[0]:
        return
    mark = _mark_of(decorator)
    if mark is None:
        return
    options = _options(mark)
    written = options.get("specname")
    if written is not None and not isinstance(written, (StrExpr, NameExpr)):
        return  # computed: nobody knows
    if isinstance(written, NameExpr) and written.name != "None":
        return
    hook = written.value if isinstance(written, StrExpr) else decorator.func.name
    module = getattr(ctx.api, "tree", None)
    known: Mapping[str, Specification] = catalogue.hooks
    if module is not None:
        known = catalogue.of_file(module.fullname, module.path)
    specification = known.get(hook)
    if specification is None:
        optional = options.get("optionalhook")
        if not (isinstance(optional, NameExpr) and optional.name == "True"):
            ctx.api.fail(f'There is no hook "{hook}"{_hint(hook, known)}', decorator.func, code=NAME)
        return
    _Check(ctx, decorator, mark, specification, _type_of(specification, lookup)).run()


class _Check:
    def __init__(
        self,
        ctx: FunctionContext | MethodContext,
        decorator: Decorator,
        mark: Expression,
        specification: Specification,
        specified: CallableType | None,
    ) -> None:
        self.api = ctx.api
        self.spec = specification
        self.specified = specified  # None: the specification's types are not to be had
        self.func: FuncDef = decorator.func
        given = get_proper_type(ctx.arg_types[0][0])
        self.given = given if isinstance(given, CallableType) else None
        below = decorator.decorators[decorator.decorators.index(mark) + 1 :]
        self.is_bare = not below  # no other decorator has made something else of the function

    def run(self) -> None:
        if self.given is None:
            return
        if self.is_bare and self.has_wrong_colour():
            return  # the result's type would only say the same again
        self.check_arguments(self.given)
        self.check_result(self.given)

    def fail(self, message: str, context: Context, code: ErrorCode) -> None:
        self.api.fail(message, context, code=code)

    def show(self, typ: Type) -> str:
        return format_type(typ, self.api.options)

    # Colour

    def has_wrong_colour(self) -> bool:
        spec, func = self.spec, self.func
        fault = ""
        if spec.kind == "around":
            if not (func.is_async_generator and func.is_coroutine):
                fault = "is of kind around: write an `async def` with exactly one `yield`"
        elif func.is_generator:
            fault = f"is of kind {spec.kind}: a function with `yield` would never run"
        elif spec.colour == "sync" and func.is_coroutine:
            fault = "is a sync hook, called from code that cannot await: write `def`, not `async def`"
        if fault:
            self.fail(f'Hook "{spec.name}" {fault}', func, COLOUR)
        return bool(fault)

    # Arguments

    def check_arguments(self, given: CallableType) -> None:
        spec = self.spec
        written = self.func.arguments if len(self.func.arguments) == len(given.arg_types) else None
        own = self.func.arguments[0].variable.name if self.func.info and not self.func.is_static else None
        skip = 1 if own is not None and given.arg_names[:1] in ([own], [None]) else 0
        for index in range(skip, len(given.arg_types)):
            kind, name = given.arg_kinds[index], given.arg_names[index]
            if written is not None:
                name = written[index].variable.name
            if kind.is_star() or name is None:
                continue
            place: Context = written[index] if written is not None else self.func
            if name not in spec.arguments:
                if kind.is_required():
                    gives = ", ".join(spec.arguments) or "no arguments"
                    self.fail(
                        f'Hook "{spec.name}" has no argument "{name}"{_hint(name, spec.arguments)}; it gives {gives}',
                        place,
                        ARGUMENT,
                    )
            else:
                self.check_argument(name, given.arg_types[index], place)

    def check_argument(self, name: str, given: Type, place: Context) -> None:
        specified = self.specified
        if specified is None or name not in specified.arg_names:
            return
        expected = specified.arg_types[specified.arg_names.index(name)]
        if not is_subtype(expected, erase_typevars(given)):
            self.fail(
                f'Argument "{name}" of hook "{self.spec.name}" is {self.show(expected)}, not {self.show(given)}',
                place,
                ARGUMENT,
            )

    # Result

    def check_result(self, given: CallableType) -> None:
        if self.specified is None:
            return
        if self.spec.kind == "around":
            self.check_generator(given.ret_type)
            return
        expected = _awaited(self.specified.ret_type)
        if self.spec.colour == "async":
            result = _awaited(given.ret_type)
        else:
            result = given.ret_type
            if _is_awaitable(result):
                self.fail(
                    f'Hook "{self.spec.name}" is a sync hook, called from code that cannot await:'
                    f" {self.show(result)} as a result would never be awaited",
                    self.func,
                    COLOUR,
                )
                return
        if is_subtype(erase_typevars(result), expected):
            return
        if self.spec.kind == "notify":
            self.fail(
                f'Hook "{self.spec.name}" is of kind notify: nobody takes its result {self.show(result)}; return None',
                self.func,
                RESULT,
            )
        else:
            self.fail(
                f'Hook "{self.spec.name}" takes {self.show(expected)} as a result, not {self.show(result)}',
                self.func,
                RESULT,
            )

    def check_generator(self, given: Type) -> None:
        """What is yielded goes nowhere; what comes back from the `yield` is the specification's second argument."""
        result = get_proper_type(given)
        # A specification has no `yield`, so mypy takes it for a coroutine function that returns a generator.
        specified = None if self.specified is None else get_proper_type(_awaited(self.specified.ret_type))
        if isinstance(result, AnyType):
            return
        if not isinstance(result, Instance) or result.type.fullname not in _GENERATORS:
            self.fail(
                f'Hook "{self.spec.name}" is of kind around: its result has to be an asynchronous generator,'
                f" such as AsyncGenerator[None, Any], not {self.show(result)}",
                self.func,
                RESULT,
            )
            return
        if not isinstance(specified, Instance) or len(specified.args) != 2 or not result.args:
            return
        if not is_subtype(erase_typevars(result.args[0]), specified.args[0]):
            self.fail(
                f'Hook "{self.spec.name}" is of kind around: nobody takes what it yields,'
                f" {self.show(result.args[0])}; write `yield` alone",
                self.func,
                RESULT,
            )
        elif len(result.args) == 2 and not is_subtype(specified.args[1], erase_typevars(result.args[1])):
            self.fail(
                f'The `yield` of hook "{self.spec.name}" gives {self.show(specified.args[1])},'
                f" not {self.show(result.args[1])}",
                self.func,
                RESULT,
            )


def _mark_of(decorator: Decorator) -> Expression | None:
    for expression in decorator.decorators:
        callee = expression.callee if isinstance(expression, CallExpr) else expression
        if isinstance(callee, RefExpr) and callee.fullname == HOOKIMPL:
            return expression
    return None


def _options(mark: Expression) -> dict[str, Any]:
    if not isinstance(mark, CallExpr):
        return {}
    return {name: value for name, value in zip(mark.arg_names, mark.args, strict=True) if name is not None}


def _type_of(specification: Specification, lookup: Lookup) -> CallableType | None:
    """The type of a specification's function as it is written, without `self`."""
    try:
        symbol = lookup(specification.reference)
    except (AssertionError, KeyError):
        return None
    node = symbol.node if symbol is not None else None
    function = node.func if isinstance(node, Decorator) else node
    if not isinstance(function, FuncDef) or not isinstance(function.type, CallableType):
        return None
    found = function.type
    if found.arg_kinds and found.arg_kinds[0] in (ARG_POS, ARG_STAR) and found.arg_names[:1] == ["self"]:
        return found.copy_modified(
            arg_types=found.arg_types[1:], arg_kinds=found.arg_kinds[1:], arg_names=found.arg_names[1:]
        )
    return found


def _is_awaitable(typ: Type) -> bool:
    proper = get_proper_type(typ)
    return isinstance(proper, Instance) and _awaitable_base(proper) is not None


def _awaitable_base(instance: Instance) -> Instance | None:
    from mypy.maptype import map_instance_to_supertype

    for base in instance.type.mro:
        if base.fullname in _AWAITABLES:
            mapped = map_instance_to_supertype(instance, base)
            return mapped if mapped.args else None
    return None


def _awaited(typ: Type) -> Type:
    """What `await` makes of it; what is nothing to await stays."""
    proper = get_proper_type(typ)
    if isinstance(proper, UnionType):
        return UnionType.make_union([_awaited(item) for item in proper.items])
    if isinstance(proper, Instance):
        base = _awaitable_base(proper)
        return typ if base is None else base.args[-1]
    return typ


def _hint(word: str, known: Any) -> str:
    return did_you_mean(word, known).replace("'", '"')
