"""For administrators: a blueprint with a subdomain-less prefix given when it is registered, and errors of its own."""

from __future__ import annotations

import click
from quart import Blueprint, current_app, g, render_template, request
from quart.cli import with_appcontext

admin = Blueprint("admin", __name__, template_folder="templates", cli_group="manage")
quiet = Blueprint("quiet", __name__, cli_group=None)


class Forbidden(Exception):
    status = 403


class StillForbidden(Forbidden):
    pass


@admin.before_request
def only_with_a_token():
    if request.headers.get("X-Token") != "letmein":
        raise StillForbidden("no token")


@admin.errorhandler(Forbidden)
def forbidden(error):
    return {"error": str(error), "class": type(error).__name__}, error.status


@admin.route("/")
async def index():
    return await render_template("admin/index.html")


@admin.route("/fails")
async def fails():
    raise RuntimeError("of the admin's page")


@admin.errorhandler(500)
async def failed(error):
    return {"error": repr(error.original_exception), "code": error.code}, 500


@admin.app_errorhandler(410)
async def gone(error):
    return f"gone for good: {error.description} (path {request.path}, user {g.user})", 410


@admin.cli.command("rename")
@click.argument("number", type=int)
@click.option("--title", required=True)
@with_appcontext
def rename(number, title):
    """Rename a note."""
    current_app.store.get(number).title = title
    click.echo(f"note {number} is {title!r} now")


@quiet.cli.command("whisper")
@with_appcontext
def whisper():
    click.echo(f"psst from {current_app.name}")
