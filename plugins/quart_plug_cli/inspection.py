"""The commands that show something: `routes`, `version`; and those about plugins, which the kernel answers."""

from __future__ import annotations

import json
from functools import partial
from operator import itemgetter
from typing import Any

import click

from quart_plug import Quart, commands
from quart_plug.commands.output import Screen
from quart_plug.commands.state import to_standard_error
from quart_plug.finding import AppFailed, AppNotFound, own_traceback

from .loading import NoAppException
from .options import app_option, version_lines
from .script import ScriptInfo, pass_script_info

SORTS = ("rule", "endpoint", "methods", "domain", "match")


@click.command("routes", short_help="Show the routes.", params=[app_option()])
@click.option(
    "--sort", "-s", type=click.Choice(SORTS), default="rule",
    help="'domain' is the host or subdomain, 'match' the order of matching.",
)  # fmt: skip
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_script_info
def routes_command(info: ScriptInfo, sort: str, all_methods: bool, as_json: bool) -> None:
    """Show every route: its endpoint, its methods, whether it is a websocket, which plugin added it, and which plugins
    are switched off for it."""
    with to_standard_error():  # what the application prints when it is imported is no part of the list
        app = info.load_app()
        app.setup_plugins()
    routes = _routes(app, all_methods)
    if sort != "match":
        routes.sort(key=itemgetter(sort, "rule"))
    if as_json:
        click.echo(json.dumps(routes, indent=2))
    elif not routes:
        click.echo("There are no routes.")
    else:
        _print_table(routes, "Host" if app.url_map.host_matching else "Subdomain")


def _print_table(routes: list[dict[str, Any]], domain: str) -> None:
    """The routes in columns; those for domains and plugins only when a route has one."""
    columns = {
        "Rule": [route["rule"] for route in routes],
        domain: [route["domain"] for route in routes],
        "Endpoint": [route["endpoint"] for route in routes],
        "Methods": [", ".join(route["methods"]) for route in routes],
        "Websocket": ["yes" if route["websocket"] else "" for route in routes],
        "Plugin": [route["plugin"] or "" for route in routes],
        "Without": [", ".join(route["plugins_disabled"]) for route in routes],
    }
    for column in (domain, "Plugin", "Without"):
        if not any(columns[column]):
            del columns[column]
    Screen().table(tuple(columns), zip(*columns.values(), strict=True))


def _routes(app: Quart, all_methods: bool) -> list[dict[str, Any]]:
    hidden = set() if all_methods else {"HEAD", "OPTIONS"}
    return [
        {
            "rule": rule.rule,
            "domain": (rule.host if app.url_map.host_matching else rule.subdomain) or "",
            "endpoint": rule.endpoint,
            "methods": [] if rule.websocket else sorted(set(rule.methods or ()) - hidden),
            "websocket": bool(rule.websocket),
            "plugin": rule.plugin,
            "plugins_disabled": list(app.switched_off_for(rule).names),
        }
        for rule in app.url_map.iter_rules()
    ]


def of_the_kernel(name: str, short_help: str) -> click.Command:
    """A command that the kernel answers, with every option behind it left to it."""

    @click.command(
        name, short_help=short_help, add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )  # fmt: skip
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    @pass_script_info
    def command(info: ScriptInfo, words: tuple[str, ...]) -> None:
        find = None if info.app_import_path is not None or not info.is_made else partial(_found, info)
        click.get_current_context().exit(commands.run_words([name, *words], info.app_import_path, find))

    return command


def _found(info: ScriptInfo) -> Quart:
    try:
        return info.load_app()
    except NoAppException as error:
        raise AppNotFound(error.format_message()) from error
    except (Exception, SystemExit) as error:
        raise AppFailed(f"the application could not be made:\n\n{own_traceback(error)}") from error


plugins_command = of_the_kernel("plugins", "Show, check, switch, make and time plugins.")
list_command = of_the_kernel("list", "Show the plugins.")
doctor_command = of_the_kernel("doctor", "Show what is wrong with the plugins.")
disable_command = of_the_kernel("disable", "Turn a plugin off.")


@click.command("version", short_help="Show the versions.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def version_command(as_json: bool) -> None:
    """Show the versions of Python, of quart-plug, and of what it rests on."""
    lines = version_lines()
    if as_json:
        click.echo(json.dumps(dict(line.rsplit(" ", 1) for line in lines), indent=2))
    else:
        click.echo("\n".join(lines))
