"""`doctor`: everything that is wrong, at once."""

from __future__ import annotations

from .output import Screen, print_json
from .state import State, faults

FAILURE = 1


def show_faults(state: State, as_json: bool) -> int:
    """Everything that is wrong with the plugins, their settings and the application. The exit status is 1 then."""
    found = faults(state)
    plugins = list(state.report)
    active = sum(plugin.status == "active" for plugin in plugins)
    if as_json:
        print_json({"faults": found, "active": active, "plugins": len(plugins), "application": state.application()})
    elif not found:
        print(f"Nothing is wrong: {active} plugins are active, of {len(plugins)}.")
    else:
        screen = Screen()
        for fault in found:
            lines = [line for line in str(fault["text"]).splitlines() if line.strip()]
            for number, line in enumerate(lines):
                first, *rest = screen.wrapped(line, "  ", used=2)
                screen.print("\n".join([first if number else f"- {first[2:]}", *rest]))
    return FAILURE if found else 0
