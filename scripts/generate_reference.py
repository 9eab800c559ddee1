"""Writes the reference pages that are made from the code: the hooks and the command line.

    python scripts/generate_reference.py

`pages()` gives the pages without writing them; a test compares them with the files.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # beside this file, also when a test has loaded it
from hook_examples import EXAMPLES

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Made by `make docs` from {source}. Change that, not this page. -->\n"

HOOKS = """\
# Hooks

Every hook of the kernel. A plugin implements one with a function of the same name that is marked `@hookimpl` and names
as many of the arguments as it wants. [How the kinds work](../explanation/hooks.md) is explained apart from this list;
[the tutorial](../tutorials/first_plugin.md) makes a plugin.

| kind | who is called | result |
| --- | --- | --- |
| `collect` | every implementation, in order | the list of the results that are not None |
| `first` | in order, until one answers something other than None | that answer, or None |
| `notify` | every implementation, even if one fails | none; what failed is raised together, as one ExceptionGroup |
| `around` | async generators with one `yield`, the outermost first | entered before the body, left after it |
| `pipe` | in order, each with what the one before made | the last value; None leaves the value as it was |

`sync` hooks take plain functions only. `async` hooks take plain functions and coroutine functions; a plain one runs in
the event loop and must not block. A `first` hook that names a default plugin is a *slot*: a replaceable part of the
framework. In a slot that plugin is asked last, so that any other comes before it.

Each entry names the plugins, shipped or in [examples](../../examples/plugins/README.md), that implement the hook; each
group ends with an example. Plugins may have [hooks of their own](../explanation/hooks.md#hooks-of-a-plugins-own).
"""

COMMANDS = """\
# Command line

`quart-plug` and `python -m quart_plug` are the same program. Its options stand before the command:
`quart-plug --app shop:app run --port 8000`. For the commands about plugins they may also stand after it:
`quart-plug plugins list --app shop:app`.

Exit status: 0 for success, 1 when something does not work, 2 when the command line, or a plugin setting in the
environment or pyproject.toml, makes no sense. Errors are one message on standard error. Applications add commands with
`@app.cli.command()`, plugins with the hook [`cli_commands`](hooks.md#cli_commands).

An option of a command can come from the environment: `QUART_RUN_PORT` is `--port` of `run`, and `QUART_GREET_NAME` is
`--name` of an application's command `greet`.

Tables fit the terminal, or the columns that `COLUMNS` says; in a pipe a row is a line. Colours are for terminals only,
and not with `NO_COLOR`. With `--json` there is [JSON](cli_json.md), and nothing else, on standard output.
"""

ABOUT_PLUGINS = """\
## About plugins

`quart-plug plugins …` is answered by the kernel, with the standard library alone: these commands work when the `cli`
plugin is off, when click is missing, and when any or all plugins are broken. `list`, `doctor` and `disable` are also
there without the word `plugins`. What plugins and applications print while they are imported goes to standard error.

They are about the application that is named by `--app` or by `QUART_PLUG_APP` (or `QUART_APP`); without one, about what
is enabled in the project's folder, for which nothing is set up.
"""


def hook_page() -> str:
    from quart_plug.hooks import specs
    from quart_plug.hooks.markers import SPEC_ATTRIBUTE

    parts = [NOTE.format(source="quart_plug/hooks/specs"), HOOKS]
    modules = (importlib.import_module(f"{specs.__name__}.{subject}") for subject in specs.SUBJECTS)
    source = "".join(map(inspect.getsource, modules))
    used = users()
    for section, names in sections(source):
        parts.append(f"## {section}\n")
        for name in names:
            function = getattr(specs, name)
            parts.append(hook_entry(name, function, getattr(function, SPEC_ATTRIBUTE), used.get(name, [])))
        parts.append(f"```python{EXAMPLES[section.partition(':')[0]]}```\n")
    return "\n".join(parts)


def users() -> dict[str, list[Path]]:
    """The files of shipped plugins and of examples that implement each hook."""
    found: dict[str, list[Path]] = {}
    files = [path for folder in ("plugins", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            hook = implemented(node)
            if hook is not None and path not in found.setdefault(hook, []):
                found[hook].append(path)
    return found


def implemented(node: ast.AST) -> str | None:
    """The hook that a function implements, by its name or by `specname`; None for anything else."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        if ast.unparse(call.func if call else decorator).rpartition(".")[2] == "hookimpl":
            options = {keyword.arg: keyword.value for keyword in call.keywords} if call else {}
            return str(getattr(options.get("specname"), "value", node.name))
    return None


def link_to(path: Path) -> str:
    """A shipped plugin by its entry in the reference, an example by its file."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "plugins":
        name = parts[1].removeprefix("quart_plug_")
        return f"[`{name}`](plugins.md#{name})"
    name = parts[2] if parts[1] == "thirdparty" else path.stem
    return f"[`{name}`](../../{path.relative_to(ROOT).as_posix()})"


def sections(source: str) -> Iterator[tuple[str, list[str]]]:
    """The headings of the modules in quart_plug/hooks/specs (`# Title ----`) and the hooks below each."""
    pieces = re.split(r"^# (.+?) -{5,}$", source, flags=re.M)[1:]
    for title, body in zip(pieces[::2], pieces[1::2], strict=True):
        yield title, re.findall(r"^(?:async )?def (\w+)", body, re.M)


def hook_entry(name: str, function: Any, info: Any, used: list[Path]) -> str:
    signature = inspect.signature(function)
    arguments = ", ".join(f"{each.name}: {each.annotation}" for each in signature.parameters.values())
    facts = f"`{info.kind}`, {info.colour}"
    if info.provider is not None:
        facts += f"; a slot, filled by the plugin [`{info.provider}`](plugins.md#{info.provider})"
    text = f"`{name}({arguments}) -> {signature.return_annotation}`\n\n{facts}\n\n{inspect.getdoc(function)}"
    links = list(dict.fromkeys(map(link_to, used)))
    return f"### `{name}`\n\n{text}\n\nUsed by {', '.join(links)}.\n"


def command_page() -> str:
    from quart_plug import commands
    from quart_plug_cli.program import cli

    parts = [NOTE.format(source="the commands themselves"), COMMANDS]
    parts += ["## Options of the program\n", options_table(cli.params)]
    for name in sorted(set(cli.commands) - {commands.GROUP, *commands.COMMANDS}):
        command = cli.commands[name]
        usage = f"`quart-plug [OPTIONS] {name}{' [OPTIONS]' if command.params else ''}`\n"
        parts += [f"## `{name}`\n", usage, f"{inspect.cleandoc(command.help or '')}\n"]
        if command.params:
            parts.append(options_table(command.params))
    parts.append(ABOUT_PLUGINS)
    parts += [plugin_command_entry(command) for command in commands.COMMANDS.values()]
    return "\n".join(parts)


def plugin_command_entry(command: Any) -> str:
    parser = command.parser()
    parser.formatter_class = partial(argparse.HelpFormatter, width=1000)
    usage = parser.format_usage().strip().removeprefix("usage: ").replace(" [-h]", "")
    rows = ["| argument | effect |", "| --- | --- |"]
    for action in parser._actions[1:]:  # the first is --help
        names = ", ".join(action.option_strings)
        value = "" if action.nargs == 0 else action.metavar or action.dest.upper()
        rows.append(f"| `{' '.join(part for part in (names, value) if part)}` | {action.help} |")
    text = textwrap.fill(parser.description, 120)
    return f"## `plugins {command.name}`\n\n`{usage}`\n\n{text}\n\n" + "\n".join(rows) + "\n"


def options_table(parameters: list[Any]) -> str:
    import click

    rows = ["| option | effect | default | environment |", "| --- | --- | --- | --- |"]
    for parameter in parameters:
        names, text = parameter.get_help_record(click.Context(click.Command("quart-plug")))
        names, text = names.replace("|", "\\|"), re.sub(r"\s+\[[^\]]*\]$", "", text).replace("|", "\\|")
        default = parameter.default if isinstance(parameter.default, str | int) else None
        default = "" if isinstance(default, bool) or default is None else f"`{default}`"
        variables = parameter.envvar if isinstance(parameter.envvar, list) else []
        rows.append(f"| `{names}` | {text} | {default} | {', '.join(f'`{name}`' for name in variables)} |")
    return "\n".join(rows) + "\n"


def pages() -> dict[Path, str]:
    return {REFERENCE / "hooks.md": hook_page(), REFERENCE / "cli.md": command_page()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)
