"""The commands that show something: `routes`, `list`, `version`."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from quart_plug import Quart
from quart_plug.exceptions import PluginError
from quart_plug.listing import format_report, inspect_plugins, table

from .options import version_lines
from .script import ScriptInfo, pass_script_info

SORTS = ("rule", "endpoint", "methods", "domain", "match")


@click.command("routes", short_help="Show the routes.")
@click.option(
    "--sort", "-s", type=click.Choice(SORTS), default="rule",
    help="'domain' is the host or subdomain, 'match' the order of matching.",
)  # fmt: skip
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_script_info
def routes_command(info: ScriptInfo, sort: str, all_methods: bool, as_json: bool) -> None:
    """Show every route with its endpoint, its methods, and whether it is a websocket."""
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
        click.echo(_table(routes, "Host" if app.url_map.host_matching else "Subdomain"))


def _table(routes: list[dict[str, Any]], domain: str) -> str:
    """The routes in columns; those for domains and for what is switched off only when a route has something there."""
    columns = {
        "Rule": [route["rule"] for route in routes],
        domain: [route["domain"] for route in routes],
        "Endpoint": [route["endpoint"] for route in routes],
        "Methods": [", ".join(route["methods"]) for route in routes],
        "Websocket": ["yes" if route["websocket"] else "" for route in routes],
        "Without": [", ".join(route["plugins_disabled"]) for route in routes],
    }
    for column in (domain, "Without"):
        if not any(columns[column]):
            del columns[column]
    return table(tuple(columns), zip(*columns.values(), strict=True))


def _routes(app: Quart, all_methods: bool) -> list[dict[str, Any]]:
    hidden = set() if all_methods else {"HEAD", "OPTIONS"}
    return [
        {
            "rule": rule.rule,
            "domain": (rule.host if app.url_map.host_matching else rule.subdomain) or "",
            "endpoint": rule.endpoint,
            "methods": [] if rule.websocket else sorted(set(rule.methods or ()) - hidden),
            "websocket": bool(rule.websocket),
            "plugins_disabled": list(app.switched_off_for(rule).names),
        }
        for rule in app.url_map.iter_rules()
    ]


@click.command("list", short_help="Show the plugins.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_script_info
def list_command(info: ScriptInfo, as_json: bool) -> None:
    """Show every installed plugin, its state, and why; with --app, as the application has them."""
    report = _report(info)
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else format_report(report))


def _report(info: ScriptInfo) -> Any:
    if not info.is_named:
        return inspect_plugins(Path.cwd())
    app = info.load_app()
    try:
        app.setup_plugins()
    except PluginError as error:
        # The report says which plugin it was; it is what this command is for.
        click.echo(f"Error: {error}\n", err=True)
    return app.plugin_hooks.report()


@click.command("version", short_help="Show the versions.")
def version_command() -> None:
    """Show the versions of Python, of quart-plug, and of what it rests on."""
    click.echo("\n".join(version_lines()))
