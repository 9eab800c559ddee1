"""Commands of the application, as `quart ...` runs them."""

from __future__ import annotations

import click
from quart import current_app, g, url_for
from quart.cli import AppGroup, ScriptInfo, pass_script_info, with_appcontext


def add_commands(app):
    @app.cli.command("seed")
    @click.option("--count", default=2, show_default=True, help="How many.")
    @with_appcontext
    def seed(count):
        """Write some notes."""
        for number in range(count):
            current_app.store.add(f"Seed {number + 1}", "sown")
        click.echo(f"{len(current_app.store.notes)} notes in {current_app.name}")

    @app.cli.command("url")
    @pass_script_info
    def url(info: ScriptInfo):
        """The application is loaded by hand."""
        loaded = info.load_app()
        click.echo(f"{loaded.name} {loaded is app}")

    @click.command("where")
    @with_appcontext
    def where():
        g.somewhere = "in a context"
        with_server = url_for("index", _external=True) if current_app.config["SERVER_NAME"] else "no server name"
        click.echo(f"{g.somewhere}: {with_server}")

    app.cli.add_command(where)

    users = AppGroup("users", help="People.")

    @users.command("list")
    @with_appcontext
    def list_users():
        for name in sorted(current_app.store.users):
            click.echo(name)

    @users.command("add")
    @click.argument("name")
    @click.password_option()
    @with_appcontext
    def add_user(name, password):
        current_app.store.users[name] = password
        click.echo(f"added {name}")

    @users.command("fail")
    def fail():
        raise click.ClickException("it cannot be done")

    app.cli.add_command(users)

    @app.shell_context_processor
    def names():
        return {"store": app.store, "answer": 42}
