"""Settings of the board, from least to most specific: the objects here, TOML, JSON, a Python file, the environment."""


class Defaults:
    BOARD_TITLE = "Notes"
    BOARD_OWNER = "nobody"
    SESSION_COOKIE_NAME = "board_session"
    SESSION_COOKIE_SAMESITE = "Lax"
    MAX_CONTENT_LENGTH = 64 * 1024
    lower_case_is_not_read = True


class Testing(Defaults):
    TESTING = True
    SECRET_KEY = "of the tests"
    BOARD_OWNER = "the tests"
