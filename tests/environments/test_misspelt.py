"""A misspelt hook, argument, plugin name and configuration key: all in one report, each with what was meant."""

from __future__ import annotations

import re

import pytest

from tests.support.environments import Distribution, Environment

from .faulty import HOOK
from .test_faulty_plugins import get

SHOP = (
    HOOK
    + """
from dataclasses import dataclass


@dataclass(frozen=True)
class Shop:
    currency: str = "EUR"
    per_page: int = 10


@hookimpl
def configuration_schema(app):
    return Shop


@hookimpl
def setup(app):
    shop = app.plugin_config(Shop)
    app.add_url_rule("/shop", view_func=lambda: f"{shop.per_page} in {shop.currency}")
"""
)

DISTRIBUTIONS = (
    Distribution("acme-shop", {"acme_shop.py": SHOP}, {"shop": "acme_shop"}),
    Distribution("acme-hook", {"acme_hook.py": HOOK + "@hookimpl\ndef setpu(app): ..."}, {"hook": "acme_hook"}),
    Distribution("acme-argument", {"acme_arg.py": HOOK + "@hookimpl\ndef setup(apq): ..."}, {"argument": "acme_arg"}),
)

MISSPELT = """
[tool.quart-plug]
plugins = ["shop", "hook", "argument", "sesions"]

[tool.quart-plug.config.shop]
curency = "USD"
"""

REPORT = {
    "plugin": r"'sesions' in .*pyproject\.toml.*did you mean 'sessions'\?",
    "hook": r"acme_hook\.py:\d+: there is no hook 'setpu' \(did you mean 'setup'\?\)",
    "argument": r"acme_arg\.py:\d+: 'setup' has no argument 'apq' \(did you mean 'app'\?\)",
    "key": r"shop\.curency is an unknown key \(did you mean 'currency'\?\); correct \S*pyproject\.toml",
    "variable": r"shop\.per_page has to be an integer, not 'ten'; correct environment QUART_PLUG_SHOP__PER_PAGE",
}


@pytest.fixture
def shop(environment: Environment) -> Environment:
    environment.add(*DISTRIBUTIONS)
    return environment


def missing(said: str) -> list[str]:
    """What is not said exactly once."""
    return [name for name, line in REPORT.items() if len(re.findall(line, said)) != 1]


def test_all_mistakes_are_in_one_report(shop: Environment) -> None:
    shop.write("pyproject.toml", MISSPELT)
    done = shop.quart_plug("plugins", "doctor", QUART_PLUG_SHOP__PER_PAGE="ten")
    assert done.returncode == 1
    assert missing(done.stdout) == [], done.stdout


def test_all_mistakes_are_in_the_error_of_an_app_that_starts(shop: Environment) -> None:
    shop.write("pyproject.toml", MISSPELT)
    said = shop.fails_to_serve(QUART_PLUG_SHOP__PER_PAGE="ten")
    assert missing(said) == [], said
    assert "Traceback" not in said


def test_corrected_it_starts(shop: Environment) -> None:
    text = MISSPELT.replace('"hook", "argument", "sesions"', '"sessions"').replace("curency", "currency")
    shop.write("pyproject.toml", text)
    assert shop.quart_plug("plugins", "doctor", QUART_PLUG_SHOP__PER_PAGE="20").returncode == 0
    with shop.serve(QUART_PLUG_SHOP__PER_PAGE="20") as server:
        assert get(server, "/shop") == (200, "20 in USD")
