"""What was probably meant, and what was surely meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.hooks.settings import VARIABLES
from quart_plug.hooks.suggestions import did_you_mean, nearest, slip_of

ROOT = Path(__file__).parents[2]

words = st.text("abc", max_size=6)


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("sesions", ["json", "sessions"]) == "sessions"
    assert did_you_mean("SESIONS", ["sessions"]) == " (did you mean 'sessions'?)"
    assert (nearest("x", ["sessions"]), did_you_mean("x", [])) == (None, "")


@pytest.mark.parametrize("word", ["PLUGIN", "PLUGINSS", "PLUIGNS", "PLUGIMS", "PLGINS", "PUGIN"])
def test_a_slip_of_one_or_two_letters_is_sure(word: str) -> None:
    assert slip_of(word, ["PLUGINS", "OTHER"]) == "PLUGINS"


@pytest.mark.parametrize("word", ["PLUGINS_DIR", "PLUG", "SLUGIN_S_", ""])
def test_what_differs_more_is_something_else(word: str) -> None:
    assert slip_of(word, ["PLUGINS", "OTHER"]) is None


@given(words, st.lists(words, max_size=4))
def test_a_slip_is_found_wherever_two_edits_lead_to_a_name(word: str, known: list[str]) -> None:
    """Compared with trying every edit."""
    within = edits(word) | {further for once in edits(word) for further in edits(once)}
    found = slip_of(word, known)
    if found is not None:
        assert found in known
    if any(name in {word, *edits(word)} for name in known):
        assert found in {word, *edits(word)}
    assert found is None or found in within | {word}


def edits(word: str) -> set[str]:
    """Every word that is one edit away, in the letters of these tests."""
    parts = [(word[:end], word[end:]) for end in range(len(word) + 1)]
    left_out = {a + b[1:] for a, b in parts if b}
    changed = {a + letter + b[1:] for a, b in parts if b for letter in "abc"}
    put_in = {a + letter + b for a, b in parts for letter in "abc"}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    return left_out | changed | put_in | swapped


def test_every_variable_that_is_read_is_known() -> None:
    """Otherwise one that resembles another would be called misspelt."""
    read = set()
    for path in [*ROOT.glob("quart_plug/**/*.py"), *ROOT.glob("plugins/**/*.py"), *ROOT.glob("startup/*.py")]:
        read |= set(re.findall(r"[\"'](QUART_PLUG_[A-Z][A-Z_]*)[\"']", path.read_text()))
    assert read - {"QUART_PLUG_API"} - VARIABLES == set()
