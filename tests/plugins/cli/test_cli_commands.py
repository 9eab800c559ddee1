"""The program's commands and options, and the commands of applications, blueprints and plugins."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from quart_plug import Blueprint, Quart, current_app, has_app_context
from quart_plug.cli import AppGroup, QuartGroup, ScriptInfo, pass_script_info, with_appcontext
from quart_plug.hooks import hookimpl

SHOP = """
app = Quart(__name__)

@app.get("/b")
async def second(): ...

@app.post("/a")
async def first(): ...

@app.websocket("/ws")
async def talk(): ...

@app.cli.command()
def greet():
    print("hello from", app.name)
"""


def test_help_lists_the_programs_and_the_apps_commands(module: Any, run: Any) -> None:
    module("app.py", SHOP)
    result = run("--help")
    assert result.exit_code == 0
    for word in ("run", "routes", "shell", "list", "version", "greet", "--app", "--safe-mode", "--as-quart"):
        assert word in result.output


class TestCommandsOfDistributions:
    """Distributions give Quart's program commands with the entry points `quart.commands`."""

    @pytest.fixture(autouse=True)
    def distribution(self, module: Any, folder: Path) -> None:
        module("shop_commands.py", "import click\n@click.command()\ndef stock(): print('12 pieces')\nnot_one = 1\n")
        info = folder / "shop-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
        points = {"stock": "shop_commands:stock", "gone": "shop_commands:nothing", "other": "shop_commands:not_one"}
        points["routes"] = points["greet"] = points["stock"]
        lines = [f"{name} = {place}" for name, place in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[quart.commands]", *lines]))

    def test_it_runs_without_an_application(self, run: Any) -> None:
        assert run("stock").output == "12 pieces\n"

    def test_it_comes_before_the_programs_and_the_applications(self, module: Any, run: Any) -> None:
        """As with Quart: quart-shell-ipython puts its own `shell` in place of the program's."""
        module("app.py", SHOP)
        assert run("routes").output == "12 pieces\n"
        assert run("greet").output == "12 pieces\n"

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("gone", "the command 'gone' of shop could not be loaded from 'shop_commands:nothing': AttributeError("),
            ("other", "the command 'other' of shop, 'shop_commands:not_one', is 1, not a click command"),
        ],
    )
    def test_a_broken_one_says_whose_it_is(self, run: Any, name: str, said: str) -> None:
        result = run(name, "--piece", "4")
        assert (result.exit_code, said in result.output) == (1, True), result.output

    def test_the_help_shows_them_all(self, run: Any) -> None:
        lines = run("--help").output.splitlines()
        for name, said in (("gone", "Broken: the command 'gone'"), ("stock", "stock"), ("version", "Show the")):
            assert [line for line in lines if line.strip().startswith(name) and said in line], lines


class TestAPluginWhoseCommandsCannotBeHad:
    """Every other command is there; what is wrong is said once, with the plugin."""

    @pytest.fixture(
        autouse=True,
        params=[
            ("raise RuntimeError('cli boom')", "RuntimeError: cli boom"),
            ("raise SystemExit('cli boom')", "SystemExit: cli boom"),
            ("return ['x']", "'x' is not a click command"),
            ("return 7", "TypeError: 'int' object is not iterable"),
            ("return (1 / n for n in (0,))", "ZeroDivisionError: division by zero"),
        ],
        ids=lambda param: param[0],
    )
    def said(self, request: pytest.FixtureRequest, module: Any) -> str:
        body, said = request.param
        hook = "@hookimpl\ndef cli_commands(app):\n    "
        module("broken.py", f"from quart_plug.hooks import hookimpl\n{hook}{body}\n")
        healthy = "@click.command()\ndef polish(): print('hello there')\n"
        module("healthy.py", f"import click\nfrom quart_plug.hooks import hookimpl\n{healthy}{hook}return [polish]\n")
        module("app.py", SHOP.replace("__name__", "__name__, plugins=['broken', 'healthy']"))
        return f"The commands of plugin 'broken' are not there: its hook 'cli_commands' failed: {said}"

    def test_the_help_shows_the_others(self, run: Any, said: str) -> None:
        result = run("--help")
        assert result.exit_code == 0, result.output
        words = [line.split()[0] for line in result.stdout.splitlines() if line.strip()]
        assert {"polish", "greet", "routes"} <= set(words)
        assert result.stderr.count("cli_commands") == result.stderr.count(said) == 1, result.stderr

    def test_the_others_run(self, run: Any, said: str) -> None:
        result = run("polish")
        assert (result.exit_code, result.stdout) == (0, "hello there\n"), result.output
        assert result.stderr.count(said) == 1

    def test_an_unknown_word_is_an_unknown_word(self, run: Any, said: str) -> None:
        result = run("polsh")
        assert (result.exit_code, "Did you mean 'polish'?" in result.stderr) == (2, True), result.output
        assert result.stderr.count(said) == 1


def test_an_unknown_command_is_compared_without_regard_to_case(module: Any, run: Any) -> None:
    module("app.py", SHOP)
    result = run("ROUTES")
    assert (result.exit_code, "Did you mean 'routes'?" in result.stderr) == (2, True)


@pytest.mark.parametrize(("workers", "said"), [("2", "--workers and --reload do not go together"), ("0", "--workers")])
def test_workers_that_cannot_be_are_said(module: Any, run: Any, workers: str, said: str) -> None:
    result = run("run", "--reload", "--workers", workers)
    assert result.exit_code == 2
    assert said in result.output


def test_help_works_with_a_broken_app(module: Any, run: Any) -> None:
    module("app.py", "1 / 0\n")
    result = run("--help")
    assert (result.exit_code, "routes" in result.stdout) == (0, True)
    assert "ZeroDivisionError" in result.stderr


def test_an_unknown_command_near_to_ours_is_a_slip_even_with_a_broken_app(module: Any, run: Any) -> None:
    module("app.py", "1 / 0\n")
    result = run("rotues")
    assert (result.exit_code, "ZeroDivisionError" in result.output) == (2, False)
    assert "Did you mean 'routes'?" in result.output


def test_an_unknown_command_of_a_broken_app_shows_what_is_broken(module: Any, run: Any) -> None:
    module("app.py", "1 / 0\n")
    assert "ZeroDivisionError" in run("greet").output


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ([], ["/a", "/b", "/static/<path:filename>", "/ws"]),
        (["--sort", "endpoint"], ["/a", "/b", "/static/<path:filename>", "/ws"]),
        (["--sort", "methods"], ["/ws", "/b", "/static/<path:filename>", "/a"]),
    ],
)
def test_routes_are_sorted(module: Any, run: Any, arguments: list[str], rules: list[str]) -> None:
    module("app.py", SHOP)
    result = run("routes", "--json", *arguments)
    assert [route["rule"] for route in json.loads(result.stdout)] == rules


def test_routes_say_what_they_are(module: Any, run: Any) -> None:
    module("app.py", SHOP)
    routes = {route["rule"]: route for route in json.loads(run("routes", "--json").stdout)}
    none = {"domain": "", "plugin": None, "plugins_disabled": []}
    assert routes["/a"] == {"rule": "/a", "endpoint": "first", "methods": ["POST"], "websocket": False, **none}
    assert routes["/ws"] == {"rule": "/ws", "endpoint": "talk", "methods": [], "websocket": True, **none}
    complete = {r["rule"]: r for r in json.loads(run("routes", "--json", "--all-methods").stdout)}
    assert complete["/b"]["methods"] == ["GET", "HEAD", "OPTIONS"]


def test_routes_as_a_table(module: Any, run: Any) -> None:
    module("app.py", SHOP)
    lines = run("routes").stdout.splitlines()
    assert lines[0].split() == ["Rule", "Endpoint", "Methods", "Websocket"]
    assert lines[2].split() == ["/a", "first", "POST"]
    assert lines[-1].split() == ["/ws", "talk", "yes"]


@pytest.mark.parametrize("line", ["--app shop routes", "routes --app shop", "routes -A shop"])
def test_the_app_is_said_before_the_command_or_after_it(module: Any, run: Any, line: str) -> None:
    module("app.py", "app = Quart(__name__)\n")
    module("shop.py", SHOP)
    assert "/a" in {route["rule"] for route in json.loads(run(*line.split(), "--json").stdout)}


def test_routes_say_which_plugin_added_them(module: Any, run: Any) -> None:
    setup = "def setup(app): app.add_url_rule('/c', 'c', lambda: '')\n"
    module("mine.py", f"from quart_plug import hookimpl\n@hookimpl\n{setup}")
    module("app.py", SHOP.replace("(__name__)", "(__name__, plugins=['mine'])"))
    routes = {route["rule"]: route["plugin"] for route in json.loads(run("routes", "--json").stdout)}
    assert (routes["/c"], routes["/a"]) == ("mine", None)
    lines = run("routes").stdout.splitlines()
    assert lines[0].split() == ["Rule", "Endpoint", "Methods", "Websocket", "Plugin"]
    assert next(line for line in lines if line.startswith("/c ")).split() == ["/c", "c", "GET", "mine"]


def test_routes_as_json_are_nothing_else(module: Any, run: Any) -> None:
    module("app.py", SHOP + "print('noise')\n")
    result = run("routes", "--json")
    assert (json.loads(result.stdout) != [], result.stderr) == (True, "noise\n")


@pytest.mark.parametrize("command", ["plugins list", "list", "plugins doctor", "doctor", "plugins hooks"])
def test_commands_of_the_kernel_are_in_every_program(run: Any, command: str) -> None:
    """With an application that the program makes itself."""

    class Mine:
        __quart_plug__ = {"name": "mine"}

        @hookimpl
        def setup(self) -> None: ...

    program = QuartGroup(name="shop", create_app=lambda: Quart("shop", plugins=[Mine()]))
    result = CliRunner().invoke(program, [*command.split(), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["application"] if "hooks" not in command else None) in (
        (0, {"import": "shop", "error": None}),
        (0, None),
    )
    assert ("mine" in result.stdout) is ("doctor" not in command)


def test_an_app_that_the_program_cannot_make_is_said(run: Any) -> None:
    program = QuartGroup(name="shop", create_app=lambda: 1 / 0)  # type: ignore[arg-type, return-value]  # it raises
    result = CliRunner().invoke(program, ["plugins", "list"])
    assert (result.exit_code, "ZeroDivisionError" in result.stderr, "cli " in result.stdout) == (1, True, True)


def test_help_of_a_command_of_the_kernel(run: Any) -> None:
    result = run("plugins", "show", "--help")
    assert (result.exit_code, "usage: quart-plug plugins show" in result.stdout) == (0, True)


def test_routes_say_what_is_switched_off_for_them(module: Any, run: Any) -> None:
    module(
        "app.py",
        "from quart_plug import Blueprint\n"
        "app = Quart(__name__, static_folder=None)\n"
        "part = Blueprint('part', __name__, plugins_disabled={'signals'})\n"
        "part.add_url_rule('/a', 'a', lambda: '', plugins_disabled={'static:request_after'})\n"
        "app.register_blueprint(part)\n"
        "app.config['PLUGINS_DISABLED'] = 'static'\n"
        "app.add_url_rule('/b', 'b', lambda: '')\n",
    )
    lines = run("routes").stdout.splitlines()
    assert lines[0].split() == ["Rule", "Endpoint", "Methods", "Websocket", "Without"]
    assert lines[2].split() == ["/a", "part.a", "GET", "signals,", "static:request_after"]
    assert lines[3].split() == ["/b", "b", "GET"]
    routes = {route["rule"]: route["plugins_disabled"] for route in json.loads(run("routes", "--json").stdout)}
    assert routes == {"/a": ["signals", "static:request_after"], "/b": []}


@pytest.mark.parametrize(
    ("constructor", "option", "heading"),
    [("host_matching", "host", "Host"), ("subdomain_matching", "subdomain", "Subdomain")],
)
def test_routes_of_hosts_and_subdomains(module: Any, run: Any, constructor: str, option: str, heading: str) -> None:
    module(
        "app.py",
        f"app = Quart(__name__, {constructor}=True, static_folder=None)\n"
        "app.config['SERVER_NAME'] = 'example.com'\n"
        f"app.add_url_rule('/b', 'b', lambda: '', {option}='one')\n"
        f"app.add_url_rule('/a', 'a', lambda: '', {option}='two')\n",
    )
    lines = run("routes", "--sort", "domain").stdout.splitlines()
    assert lines[0].split() == ["Rule", heading, "Endpoint", "Methods", "Websocket"]
    assert [line.split()[:2] for line in lines[2:]] == [["/b", "one"], ["/a", "two"]]


def test_an_app_without_routes_says_so(module: Any, run: Any) -> None:
    module("app.py", "app = Quart(__name__, static_folder=None)\n")
    assert run("routes").stdout == "There are no routes.\n"


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_versions(run: Any, arguments: list[str]) -> None:
    lines = run(*arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Python", "quart-plug", "werkzeug", "hypercorn"]


def test_list_shows_the_apps_plugins(module: Any, run: Any) -> None:
    module("mine.py", "from quart_plug.hooks import hookimpl\n@hookimpl\ndef setup(app): ...\n")
    module("app.py", "app = Quart(__name__, plugins=['mine'])\n")
    plugins = {p["name"]: p for p in json.loads(run("--app", "app", "list", "--json").stdout)["plugins"]}
    assert plugins["mine"]["status"] == "active"
    assert plugins["cli"]["status"] == "active"


@pytest.mark.parametrize(
    ("arguments", "variable", "value"),
    [
        (["--plugin", "a", "--plugin", "b"], "QUART_PLUG_PLUGINS", "before,a,b"),
        (["--plugin", "before"], "QUART_PLUG_PLUGINS", "before"),
        (["--no-plugin", "a"], "QUART_PLUG_DISABLE", "a"),
        (["--safe-mode"], "QUART_PLUG_SAFE_MODE", "1"),
        (["--debug"], "QUART_PLUG_DEBUG", "1"),
        (["--no-debug"], "QUART_DEBUG", "0"),
    ],
)
def test_options_reach_the_app_through_the_environment(
    run: Any, arguments: list[str], variable: str, value: str
) -> None:
    os.environ["QUART_PLUG_PLUGINS"] = "before"
    assert run(*arguments, "version").exit_code == 0
    assert os.environ[variable] == value


def test_a_plugin_can_be_turned_off_for_one_run(module: Any, run: Any) -> None:
    module("app.py", SHOP)
    result = run("--app", "app", "--no-plugin", "sessions", "list", "--json")
    plugins = {plugin["name"]: plugin for plugin in json.loads(result.stdout)["plugins"]}
    assert plugins["sessions"]["status"] == "disabled"
    assert "QUART_PLUG_DISABLE" in plugins["sessions"]["reason"]


# Commands of applications ------------------------------------------------------------------------------


def test_an_apps_command_runs_in_its_context() -> None:
    app = Quart("shop")

    @app.cli.command()
    @click.argument("word")
    def say(word: str) -> None:
        click.echo(f"{word} {current_app.name}")

    @app.cli.command(with_appcontext=False)
    def alone() -> None:
        click.echo(str(has_app_context()))

    runner = app.test_cli_runner()
    assert runner.invoke(args=["say", "hello"]).output == "hello shop\n"
    assert runner.invoke(say, ["bye"]).output == "bye shop\n"
    assert runner.invoke(args=["alone"]).output == "False\n"


def test_a_command_may_be_a_coroutine_function_or_run_a_loop() -> None:
    app = Quart("shop")

    @app.cli.command
    async def awaits() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    @app.cli.command()
    def runs() -> None:
        async def name() -> str:
            return current_app.name

        click.echo(asyncio.run(name()))

    @app.cli.command(with_appcontext=False)
    async def outside() -> None:
        await asyncio.sleep(0)
        click.echo(str(has_app_context()))

    runner = app.test_cli_runner()
    for command, output in (("awaits", "shop\n"), ("runs", "shop\n"), ("outside", "False\n")):
        assert runner.invoke(args=[command], catch_exceptions=False).output == output


async def test_a_command_can_be_invoked_from_a_test_with_a_loop() -> None:
    app = Quart("shop")

    @app.cli.command()
    async def awaits() -> None:
        await asyncio.sleep(0)
        click.echo(click.get_current_context().info_name)

    assert app.test_cli_runner().invoke(args=["awaits"], catch_exceptions=False).output == "awaits\n"


@pytest.mark.parametrize("error", [None, LookupError("x")])
def test_the_context_is_torn_down_with_the_commands_error(error: Exception | None) -> None:
    app = Quart("shop")
    seen: list[BaseException | None] = []
    app.teardown_appcontext(seen.append)

    @app.cli.command()
    def work() -> None:
        if error is not None:
            raise error

    result = app.test_cli_runner().invoke(args=["work"])
    assert (result.exception, seen) == (error, [error])


def test_nested_groups_are_app_groups_too() -> None:
    app = Quart("shop")

    @app.cli.group()
    def db() -> None: ...

    @db.command()
    def init() -> None:
        click.echo(current_app.name)

    assert isinstance(db, AppGroup)
    assert app.test_cli_runner().invoke(args=["db", "init"]).output == "shop\n"


@pytest.mark.parametrize(
    ("group", "arguments"),
    [("", ["users", "add"]), (None, ["add"]), ("people", ["people", "add"])],
)
def test_a_blueprints_commands(group: str | None, arguments: list[str]) -> None:
    blueprint = Blueprint("users", __name__, cli_group=group)

    @blueprint.cli.command()
    def add() -> None:
        click.echo(f"added to {current_app.name}")

    app = Quart("shop")
    app.register_blueprint(blueprint)
    assert app.test_cli_runner().invoke(args=arguments).output == "added to shop\n"


def test_script_info_is_passed() -> None:
    app = Quart("shop")

    @app.cli.command(with_appcontext=False)
    @pass_script_info
    def name(info: ScriptInfo) -> None:
        click.echo(info.load_app().name)

    assert app.test_cli_runner().invoke(args=["name"]).output == "shop\n"


def test_with_appcontext_on_a_plain_click_command() -> None:
    @click.command()
    @with_appcontext
    def name() -> None:
        click.echo(current_app.name)

    @click.command()
    @with_appcontext()
    def other() -> None:
        click.echo(current_app.name)

    info = ScriptInfo(create_app=lambda: Quart("shop"))
    for command in (name, other):
        assert CliRunner().invoke(command, obj=info, catch_exceptions=False).output == "shop\n"


def test_plugins_add_commands_which_the_apps_own_beat() -> None:
    class Plugin:
        @hookimpl
        def cli_commands(self, app: Quart) -> list[click.Command]:
            @click.command("greet")
            def greet() -> None:
                click.echo("from the plugin")

            @click.command("sweep")
            @with_appcontext
            def sweep() -> None:
                click.echo(f"sweeping {current_app.name}")

            return [greet, sweep]

    app = Quart("shop", plugins=[Plugin()])

    @app.cli.command()
    def greet() -> None:
        click.echo("from the app")

    program = QuartGroup(name="shop", create_app=lambda: app)
    runner = CliRunner()
    assert runner.invoke(program, ["greet"]).output == "from the app\n"
    assert runner.invoke(program, ["sweep"], catch_exceptions=False).output == "sweeping shop\n"
    assert "sweep" in runner.invoke(program, ["--help"]).output


def test_a_program_of_an_apps_own() -> None:
    program = QuartGroup(
        name="shop", create_app=lambda: Quart("shop"), add_default_commands=False, add_version_option=False
    )

    @program.command()
    def name() -> None:
        click.echo(current_app.name)

    assert CliRunner().invoke(program, ["name"]).output == "shop\n"
    listed = CliRunner().invoke(program, ["--help"]).output
    assert "routes" not in listed
    assert "--version" not in listed


@pytest.mark.parametrize("name", ["rotues", "greet"])
def test_an_unknown_command_of_an_app_that_was_named_shows_what_is_wrong_with_it(
    module: Any, run: Any, name: str
) -> None:
    """Also when the word is near to one of our commands, for it may be one of the application's."""
    module("shop.py", "1 / 0\n")
    result = run("--app", "shop", name)
    assert "ZeroDivisionError" in result.output
    assert result.exit_code != 0


def test_the_error_of_a_command_stands_alone(module: Any, run: Any) -> None:
    """Not chained to one of ours."""
    fails = "@app.cli.command()\ndef fails():\n    raise LookupError('of the command')\n"
    module("app.py", f"app = Quart(__name__)\n{fails}")
    error = run("fails").exception
    assert isinstance(error, LookupError)
    assert error.__context__ is None


@pytest.mark.parametrize("is_program", [True, False])
def test_only_the_program_itself_ends_with_the_server(
    module: Any, run: Any, monkeypatch: pytest.MonkeyPatch, is_program: bool
) -> None:
    """Who invokes the command in a process of his own, as tests do, goes on: whatever threads there are."""
    from quart_plug import commands
    from quart_plug_cli import serving

    ended: list[None] = []
    monkeypatch.setattr(serving, "end_program", lambda: ended.append(None))
    monkeypatch.setattr(commands, "is_program", is_program)
    module("shop.py", "from quart_plug import Quart\napp = Quart(__name__)\napp.run = lambda **options: print('ran')\n")
    result = run("--app", "shop", "run")
    assert (result.exit_code, "ran" in result.output, len(ended)) == (0, True, int(is_program)), result.output
