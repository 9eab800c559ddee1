"""What plugins answer to the hooks that an application asks only when it needs them, for `doctor`.

Slots, content types, templates, commands: a plugin that fails in one of these is set up all right, and fails the
first request or command that comes to it. Nothing is started, rendered or served. `shell_context` is not asked, since
it is there to connect to things, and fails nothing but the shell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..claims import commands_of_plugins
from ..content_types import checked_codec
from ..exceptions import PluginHookError
from ..hooks.entries import told

if TYPE_CHECKING:
    from ..app import Quart
    from ..hooks.calls import HookSpec, Implementation
    from ..hooks.origins import Origin

# What takes the place of a slot on the application itself, so that no plugin is asked for it.
_ASSIGNED = {"json_provider": "json", "session_interface": "session_interface", "rooms": "rooms"}


def wrong_answers(app: Quart) -> Iterator[tuple[Origin, str]]:
    """Ask each plugin on its own: those that fail, each with a line on what is wrong.

    app   its plugins are set up.
    """
    for spec in app.plugin_hooks.specs.values():
        if spec.name == "cli_commands":
            for origin, fault in commands_of_plugins(app).faults:
                yield origin, f"hook 'cli_commands' of {origin} failed: {fault}"
        else:
            yield from _wrong_in(app, spec)


def _wrong_in(app: Quart, spec: HookSpec) -> Iterator[tuple[Origin, str]]:
    is_slot = spec.owner == "quart_plug" and spec.info.provider is not None
    is_asked = (is_slot and not _is_assigned(app, spec.name)) or spec.name in _CHECKS
    for implementation in app.plugin_hooks.implementations(spec.name):
        origin = implementation.origin
        whose = f"hook {spec.name!r} of {origin}"
        try:
            call = app.plugin_hooks.call_one(implementation)
        except (Exception, SystemExit) as error:
            yield origin, f"the option `when` of {whose} failed: {told(error)}"
            continue
        if not is_asked:
            continue
        try:
            answer = call(app, *[None] * (len(spec.arguments) - 1))  # no name: the default server
            if answer is not None and spec.name in _CHECKS:
                _CHECKS[spec.name](answer, implementation)
        except (Exception, SystemExit) as error:
            if not _needs_context(error):
                yield origin, f"{whose} failed: {told(error)}"
        else:
            is_asked = not is_slot or answer is None  # the first that fills a slot has it


def _is_assigned(app: Quart, hook: str) -> bool:
    if hook == "json_provider" and app.json_provider_class is not None:
        return True
    return hook in _ASSIGNED and app._set_by_app(_ASSIGNED[hook]) is not None


def _needs_context(error: BaseException) -> bool:
    """Whether a plugin wants to know the current request, or application: here is none, and later there may be."""
    return isinstance(error, RuntimeError) and str(error).startswith("Working outside of ")


def _mapping(answer: Any, implementation: Implementation) -> None:
    if not isinstance(answer, Mapping):
        raise PluginHookError(f"it gave {answer!r}, which is no mapping")


def _folders(answer: Any, implementation: Implementation) -> None:
    for folder in [answer] if isinstance(answer, str) else answer:
        str(folder)


def _loaders(answer: Any, implementation: Implementation) -> None:
    for loader in answer:
        if not hasattr(loader, "get_source"):
            raise PluginHookError(f"it gave {loader!r}, which is no loader of templates")


def _codecs(answer: Any, implementation: Implementation) -> None:
    for codec in answer:
        checked_codec(codec, implementation.origin)


_CHECKS = {
    "content_types": _codecs,
    "template_context": _mapping,
    "template_filters": _mapping,
    "template_tests": _mapping,
    "template_globals": _mapping,
    "template_folders": _folders,
    "template_loaders": _loaders,
}
