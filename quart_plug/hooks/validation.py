"""What is wrong with a plugin's hook implementations: every fault at once, before anything is registered.

Must not know: how hooks are called, where plugins come from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pluggy

from ..exceptions import PluginHookError
from .calls import HookSpec, Implementation, returns_coroutine
from .markers import SPEC_ATTRIBUTE, HookInfo
from .origins import Origin
from .suggestions import did_you_mean

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def read_hookspecs(manager: pluggy.PluginManager, namespace: Any, owner: str) -> dict[str, HookSpec]:
    """The hook specifications in a module or class.
    PluginHookError lists everything that is wrong with them.
    """
    specs: dict[str, HookSpec] = {}
    faults: list[str] = []
    for name in dir(namespace):
        if manager.parse_hookspec_opts(namespace, name) is None:
            continue
        function = getattr(namespace, name)
        info = getattr(function, SPEC_ATTRIBUTE, None)
        if not isinstance(info, HookInfo):
            faults.append(
                f"{_where(function, name)}: the hook {name!r} does not say its kind; mark it with"
                " quart_plug's `@hookspec(kind=…)`, not with pluggy's HookspecMarker"
            )
            continue
        parameters = list(inspect.signature(function).parameters.values())
        if inspect.isclass(namespace) and parameters and parameters[0].name == "self":
            del parameters[0]
        arguments = tuple(parameter.name for parameter in parameters)
        faults += [f"{_where(function, name)}: {fault}" for fault in _spec_faults(name, info, parameters)]
        specs[name] = HookSpec(name, arguments, info, inspect.getdoc(function) or "", owner)
    if faults:
        raise PluginHookError(_listed(f"the hook specifications of {owner} are wrong", faults), faults)
    if not specs:
        raise PluginHookError(
            f"{namespace!r} specifies no hook; mark its functions with quart_plug's `@hookspec(kind=…)`"
        )
    return specs


def _spec_faults(name: str, info: HookInfo, parameters: list[inspect.Parameter]) -> Iterable[str]:
    for parameter in parameters:
        if parameter.kind not in _POSITIONAL or parameter.default is not parameter.empty:
            yield f"the hook {name!r} takes {parameter}; arguments of a hook are positional, without defaults"
        elif parameter.name.startswith("_"):
            yield f"the hook {name!r} takes {parameter.name!r}; names that start with _ are reserved"
    if info.kind == "pipe" and not parameters:
        yield f"the hook {name!r} is of kind pipe and has no argument to pass on"
    if info.kind == "around" and info.colour == "sync":
        yield f"the hook {name!r} is of kind around, which is async only"


def read_implementations(
    manager: pluggy.PluginManager, plugin: Any, specs: Mapping[str, HookSpec], origin: Origin
) -> list[Implementation]:
    """A plugin's implementations of the hooks in `specs`. PluginHookError lists every fault of the plugin."""
    implementations, faults = inspect_implementations(manager, plugin, specs, origin)
    if faults:
        raise PluginHookError(_listed(f"{origin} does not fit", faults), faults)
    return implementations


def inspect_implementations(
    manager: pluggy.PluginManager, plugin: Any, specs: Mapping[str, HookSpec], origin: Origin
) -> tuple[list[Implementation], list[str]]:
    """The implementations that fit, and what is wrong with the others."""
    implementations: list[Implementation] = []
    faults: list[str] = []
    for attribute in dir(plugin):
        options: Any = manager.parse_hookimpl_opts(plugin, attribute)
        if options is None:
            continue
        function = getattr(plugin, attribute)
        hook = options.get("specname") or attribute
        where = _where(function, attribute)
        spec = specs.get(hook)
        if spec is None:
            if not options.get("optionalhook"):
                faults.append(f"{where}: there is no hook {hook!r}{did_you_mean(hook, specs)}")
            continue
        if options.get("wrapper") or options.get("hookwrapper"):
            faults.append(
                f"{where}: {hook!r} is marked as a pluggy wrapper; use a hook of kind `around` instead"
            )
            continue
        positional, keywords, wrong = _arguments(function, spec)
        wrong += _colour_faults(function, spec)
        faults += [f"{where}: {fault}" for fault in wrong]
        if wrong:
            continue
        implementations.append(
            Implementation(
                hook,
                function,
                positional,
                keywords,
                *origin,
                bool(options.get("tryfirst")),
                bool(options.get("trylast")),
            )
        )
    return implementations, faults


def _arguments(
    function: Callable[..., Any], spec: HookSpec
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """What to pass by position, what by name, and what is wrong."""
    positional: list[str] = []
    keywords: list[str] = []
    faults: list[str] = []
    takes_rest = skipped = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_rest = True
        elif parameter.kind is parameter.VAR_POSITIONAL or (
            skipped and parameter.kind is parameter.POSITIONAL_ONLY
        ):
            continue
        elif parameter.name in spec.arguments:
            by_position = parameter.kind in _POSITIONAL and parameter.default is parameter.empty
            if by_position or parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(parameter.name)
            else:
                keywords.append(parameter.name)
        elif parameter.default is parameter.empty:
            known = ", ".join(spec.arguments) or "no arguments"
            hint = did_you_mean(parameter.name, spec.arguments)
            if parameter.name == "self":
                hint = " (the plugin is a class: give an object of the class, `Plugin()`)"
            faults.append(f"{spec.name!r} has no argument {parameter.name!r}{hint}; it gives {known}")
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            skipped = (
                True  # those after it that are positional only cannot be passed; they have a default too
            )
    if takes_rest:
        keywords += [name for name in spec.arguments if name not in positional and name not in keywords]
    return tuple(positional), tuple(keywords), faults


def _colour_faults(function: Callable[..., Any], spec: HookSpec) -> list[str]:
    kind = spec.info.kind
    if kind == "around":
        if inspect.isasyncgenfunction(function):
            return []
        return [f"{spec.name!r} is a hook of kind around: write an `async def` with exactly one `yield`"]
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return [f"{spec.name!r} is a hook of kind {kind}: a function with `yield` would never run"]
    if spec.info.colour == "sync" and returns_coroutine(function):
        return [
            f"{spec.name!r} is a sync hook, called from code that cannot await: write `def`, not `async def`"
        ]
    return []


def _where(function: Any, name: str) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else name


def _listed(title: str, faults: list[str]) -> str:
    return f"{title}:" + "".join(f"\n  - {fault}" for fault in faults)
