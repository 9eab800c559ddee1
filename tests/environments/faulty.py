"""Distributions whose plugins are wrong, each in its own way, and what has to be said about them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.environments import Distribution

HOOK = "from quart_plug import hookimpl, request, websocket\n\n"


@dataclass(frozen=True)
class Fault:
    """One way to be wrong.

    plugins        what to enable, as one would in QUART_PLUG_PLUGINS.
    status         the status of the first one.
    says           what the report has to say of it: each of these, in its text.
    """

    name: str
    distributions: tuple[Distribution, ...]
    plugins: tuple[str, ...]
    status: str
    says: tuple[str, ...]

    @property
    def enabled(self) -> str:
        return ",".join(self.plugins)

    @property
    def origin(self) -> str:
        """The first distribution and its version."""
        return f"{self.distributions[0].name} {self.distributions[0].version}"


def _one(name: str, code: str, status: str, *says: str, value: str | None = None) -> Fault:
    """A fault of one plugin: `acme-NAME`, whose module is acme_NAME and whose entry point is NAME."""
    module = f"acme_{name}"
    distribution = Distribution(
        f"acme-{name.replace('_', '-')}", {f"{module}.py": code}, {name: value or module}, version="1.2"
    )
    return Fault(name, (distribution,), (name,), status, says)


def _related(name: str, other: str, declared: str, others: str, status: str, *says: str) -> Fault:
    """A fault between two plugins."""
    code = HOOK + "__quart_plug__ = {declared}\n\n\n@hookimpl\ndef setup(app):\n    pass\n"
    one, two = (
        Distribution(
            f"acme-{of.replace('_', '-')}",
            {f"acme_{of}.py": code.replace("{declared}", text)},
            {of: f"acme_{of}"},
            version="1.2",
        )
        for of, text in ((name, declared), (other, others))
    )
    return Fault(name, (one, two), (other, name), status, says)


# Those that are found out before anything is set up.
ON_LOADING = (
    _one(
        "at_import", "raise RuntimeError('no licence')", "failed", "while it was imported", "RuntimeError: no licence"
    ),
    _one("exits", "import sys\nsys.exit('good-bye')", "failed", "while it was imported", "SystemExit: good-bye"),
    _one("unfinished", "def setup(app:\n", "failed", "while it was imported", "SyntaxError"),
    _one("nothing", "", "failed", "acme_nothing_at_all", "reinstall acme-nothing", value="acme_nothing_at_all"),
    _one("no_attribute", "", "failed", "AttributeError", "'plugin'", value="acme_no_attribute:plugin"),
    _one("module", "import acme_engine.core", "missing", "'acme_engine'", "pip install acme_engine"),
    _one(
        "extras",
        "import acme_engine",
        "missing",
        "'acme_engine'",
        'pip install "acme-extras[fast,safe]"',
        value="acme_extras [fast,safe]",
    ),
    _one("future", "__quart_plug__ = {'api': '>=2,<3'}", "incompatible", ">=2,<3", "the plugin API", "this is 1.0"),
    _one("lonely", "__quart_plug__ = {'requires': ['company']}", "blocked", "it requires 'company'"),
    _one("declares", "__quart_plug__ = {'require': ['json']}", "failed", "'require'", "did you mean 'requires'?"),
    _one("hook", HOOK + "@hookimpl\ndef setpu(app):\n    pass", "failed", "'setpu'", "did you mean 'setup'?"),
    _one("argument", HOOK + "@hookimpl\ndef setup(apq):\n    pass", "failed", "'apq'", "did you mean 'app'?"),
    _one("colour", HOOK + "@hookimpl\nasync def setup(app):\n    pass", "failed", "write `def`, not `async def`"),
    _related(
        "hen",
        "egg",
        "{'after': ['egg']}",
        "{'after': ['hen']}",
        "blocked",
        "egg -> hen -> egg",
        "'hen' comes after 'egg'",
        "'egg' comes after 'hen'",
    ),
    _related("dog", "cat", "{'conflicts': ['cat']}", "{'before': ['dog']}", "blocked", "it conflicts with 'cat'"),
)

# Who is told at set-up, when there is an app.
ON_SETUP = _one(
    "at_setup",
    HOOK
    + "@hookimpl\ndef setup(app):\n    app.add_url_rule('/left', view_func=lambda: 'left')\n"
    + "    raise RuntimeError('no database')",
    "failed",
    "while it was set up",
    "RuntimeError: no database",
)

# Distributions that nobody asked for, and that cannot be read: what else is installed has to be found.
BROKEN_METADATA = (
    Distribution("acme-nameless", {"acme_nameless.py": ""}, {"nameless": "acme_nameless"}, metadata=""),
    Distribution("acme-entry", {"acme_entry.py": ""}, {"one": "acme_entry", "": "two"}),
)
UNREADABLE = ("acme_nameless-1.0.dist-info cannot be read", "acme-entry: the entry point '= two'")
