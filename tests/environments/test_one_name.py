"""Two distributions with an entry point of the same name: both are named, neither is lost."""

from __future__ import annotations

import re

import pytest

from tests.support.environments import Distribution, Environment

from .faulty import HOOK
from .test_faulty_plugins import get

ANSWERS = HOOK + "@hookimpl\ndef setup(app):\n    app.add_url_rule('/who', view_func=lambda: '{who}')\n"


def salons(who: str) -> Distribution:
    module = f"{who}_salons"
    return Distribution(f"{who}-salons", {f"{module}.py": ANSWERS.replace("{who}", who)}, {"salons": module})


@pytest.fixture
def two(environment: Environment) -> Environment:
    environment.add(salons("acme"), salons("bravo"))
    return environment


def test_both_are_listed(two: Environment) -> None:
    listed = two.quart_plug("list").stdout
    for distribution in ("acme-salons", "bravo-salons"):
        assert re.search(rf"^salons +disabled +1\.0 +{distribution}", listed, re.M), listed
    assert two.quart_plug("doctor").returncode == 0  # nobody asked for either


def test_the_app_does_not_start_until_one_is_chosen(two: Environment) -> None:
    enabled = {"QUART_PLUG_PLUGINS": "salons"}
    for said in (two.fails_to_serve(**enabled), two.quart_plug("doctor", **enabled).stdout):
        assert "'acme-salons:salons'" in said and "'bravo-salons:salons'" in said
        assert "environment QUART_PLUG_PLUGINS" in said
    listed = two.quart_plug("list", **enabled).stdout
    assert len(re.findall(r"^salons +blocked ", listed, re.M)) == 2
    assert two.imported == set()


@pytest.mark.parametrize(("chosen", "other"), [("acme", "bravo"), ("bravo", "acme")])
def test_the_chosen_one_serves_and_the_other_is_listed(two: Environment, chosen: str, other: str) -> None:
    enabled = {"QUART_PLUG_PLUGINS": f"{chosen}-salons:salons"}
    with two.serve(**enabled) as server:
        assert get(server, "/who") == (200, chosen)
    listed = two.quart_plug("list", **enabled).stdout
    assert re.search(rf"^salons +active +1\.0 +{chosen}-salons", listed, re.M), listed
    assert re.search(rf"^salons +shadowed +1\.0 +{other}-salons", listed, re.M), listed
    assert two.imported == {f"{chosen}_salons"}


def test_one_of_two_may_be_turned_off(two: Environment) -> None:
    with two.serve(QUART_PLUG_PLUGINS="salons", QUART_PLUG_DISABLE="acme-salons:salons") as server:
        assert get(server, "/who") == (200, "bravo")
    assert two.imported == {"bravo_salons"}


def test_of_a_core_plugin_s_name_the_first_party_one_is_taken(environment: Environment) -> None:
    other = Distribution("acme-json", {"acme_json.py": "raise RuntimeError"}, {"json": "acme_json"})
    environment.add(other)
    with environment.serve() as server:
        assert get(server, "/json") == (200, '{"words":["hello"]}\n')
    listed = environment.quart_plug("list").stdout
    assert re.search(r"^json +active +\S+ +quart-plug ", listed, re.M), listed
    assert re.search(r"^json +shadowed +1\.0 +acme-json .*first-party", listed, re.M), listed
    assert environment.imported == set()
    assert "RuntimeError" in environment.fails_to_serve(QUART_PLUG_PLUGINS="acme-json:json")
