"""Where settings come from, and which wins."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from board import create_app
from board.framework import BoardConfig
from quart import Config, Quart


def test_each_source_beats_the_one_before(app):
    assert app.config["BOARD_OWNER"] == "the tests"
    assert app.config["BOARD_TITLE"] == "Notes of the house"
    assert app.config["PAGE_SIZE"] == 2
    assert app.config["LIMITS"] == {"uploads": 2, "words": ["short", "long"]}
    assert app.config["COLOURS"] == ["red", "green"]
    assert app.permanent_session_lifetime == timedelta(days=2)
    assert app.config["SEND_FILE_MAX_AGE_DEFAULT"] == 60
    assert not {"lower", "helper", "lower_case_is_not_read", "timedelta"} & set(app.config)


def test_the_environment(monkeypatch):
    monkeypatch.setenv("BOARD_PAGE_SIZE", "9")
    monkeypatch.setenv("BOARD_LIMITS__uploads", "7")
    monkeypatch.setenv("BOARD_LIMITS__deep__er", "[1, 2]")
    monkeypatch.setenv("BOARD_WORD", "not JSON")
    monkeypatch.setenv("BOARD_TRUTH", "true")
    app = create_app()
    assert (app.config["PAGE_SIZE"], app.config["WORD"], app.config["TRUTH"]) == (9, "not JSON", True)
    assert app.config["LIMITS"] == {"uploads": 7, "words": ["short", "long"], "deep": {"er": [1, 2]}}


def test_a_variable_that_names_a_file(app, monkeypatch, tmp_path):
    (tmp_path / "more.cfg").write_text("FROM_FILE = 1\n")
    monkeypatch.setenv("BOARD_SETTINGS", str(tmp_path / "more.cfg"))
    assert app.config.from_envvar("BOARD_SETTINGS") is True
    assert app.config["FROM_FILE"] == 1
    assert app.config.from_envvar("NOT_SET", silent=True) is False
    with pytest.raises(RuntimeError, match="NOT_SET"):
        app.config.from_envvar("NOT_SET")


def test_files_that_are_missing(app):
    assert app.config.from_file("nowhere.json", load=json.load, silent=True) is False
    with pytest.raises(FileNotFoundError):
        app.config.from_pyfile("nowhere.cfg")


def test_an_instance_folder(tmp_path):
    (tmp_path / "secret.json").write_text('{"SECRET_KEY": "of the instance"}')
    app = create_app(instance_path=str(tmp_path))
    assert app.instance_path == str(tmp_path)
    app.config.from_file("secret.json", load=json.load)
    assert app.secret_key == "of the instance"


def test_parts_of_the_settings(app):
    app.config.update(MAIL_HOST="h", MAIL_PORT=25)
    assert app.config.get_namespace("MAIL_") == {"host": "h", "port": 25}
    assert app.config.get_namespace("MAIL_", lowercase=False, trim_namespace=False) == {
        "MAIL_HOST": "h",
        "MAIL_PORT": 25,
    }


def test_a_config_class_of_ones_own(app):
    assert isinstance(app.config, BoardConfig)
    assert isinstance(app.config, Config)
    assert app.config.title == "<Notes of the house>"


def test_attributes_are_settings(app):
    assert (app.testing, app.debug, app.secret_key) == (True, False, "of the tests")
    app.secret_key = "x"
    assert app.config["SECRET_KEY"] == "x"
    app.config["TESTING"] = False
    assert app.testing is False
    app.debug = True
    assert app.config["DEBUG"] is True


def test_defaults():
    app = Quart("defaults")
    assert app.config["MAX_CONTENT_LENGTH"] == 16 * 1024 * 1024
    assert app.config["PERMANENT_SESSION_LIFETIME"] == timedelta(days=31)
    assert app.config["SESSION_COOKIE_NAME"] == "session"
    assert (app.name, app.import_name, app.static_url_path) == ("defaults", "defaults", "/static")
