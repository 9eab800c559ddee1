"""The environment of the extensions has both: the real Quart, and quart-plug under its name."""

from __future__ import annotations

from tests.support.extensions import run

WHO = "import quart; print(quart.Quart.__module__)"


def test_quart_is_the_real_one() -> None:
    assert run(WHO).stdout == "quart.app\n"


def test_with_the_alias_quart_is_quart_plug() -> None:
    assert run(WHO, alias=True).stdout == "quart_plug.app\n"
