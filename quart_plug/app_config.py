"""The default configuration, and which settings are looked at when."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from .resources import install_prefix, package_folder

DEFAULT_CONFIG: dict[str, Any] = {
    "APPLICATION_ROOT": "/",
    "BACKGROUND_TASK_SHUTDOWN_TIMEOUT": 5,  # seconds
    "BODY_TIMEOUT": 60,  # seconds for the whole body of a request
    "DEBUG": False,
    "ENV": None,
    "EXPLAIN_TEMPLATE_LOADING": False,
    "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,  # bytes
    "MAX_COOKIE_SIZE": 4093,  # bytes
    "MAX_FORM_MEMORY_SIZE": 500_000,  # bytes
    "MAX_FORM_PARTS": 1000,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "PREFERRED_URL_SCHEME": "http",
    "PREFER_SECURE_URLS": False,
    "PRESERVE_CONTEXT_ON_EXCEPTION": None,
    "PROPAGATE_EXCEPTIONS": None,
    "PROVIDE_AUTOMATIC_OPTIONS": True,
    "RESPONSE_TIMEOUT": 60,  # seconds for sending a response that is not a stream
    "SECRET_KEY": None,
    "SECRET_KEY_FALLBACKS": None,
    "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=12),
    "SERVER_NAME": None,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_REFRESH_EACH_REQUEST": True,
    "TEMPLATES_AUTO_RELOAD": None,
    "TESTING": False,
    "TRAP_BAD_REQUEST_ERRORS": None,
    "TRAP_HTTP_EXCEPTIONS": False,
    "TRUSTED_HOSTS": None,
    "TRUSTED_PROXIES": None,
    "TRUSTED_PROXY_HEADERS": ("x-forwarded-for", "x-forwarded-proto"),
    "USE_X_SENDFILE": False,
    # quart-plug's own
    "PLUGIN_CONFIG": {},
    "PLUGINS": None,
    "PLUGINS_AUTOLOAD": False,
    "PLUGINS_DISABLED": None,
    "PLUGINS_STRICT": True,
    "SHUTDOWN_TIMEOUT": 10,  # seconds between the signal and the end
    "WEBSOCKET_ACCEPT_TIMEOUT": 10,  # seconds
    "WEBSOCKET_ALLOWED_ORIGINS": None,  # the application's own
    "WEBSOCKET_DISCONNECT": "auto",
    "WEBSOCKET_DISCONNECT_GRACE": 5,  # seconds
    "WEBSOCKET_IDLE_TIMEOUT": None,  # seconds
    "WEBSOCKET_MAX_MESSAGE_SIZE": 16 * 1024 * 1024,  # bytes
    "WEBSOCKET_PING_INTERVAL": 20,  # seconds
    "WEBSOCKET_PING_TIMEOUT": 20,  # seconds
    "WEBSOCKET_RECEIVE_QUEUE": 32,  # messages
    "WEBSOCKET_RECEIVE_QUEUE_BYTES": 4 * 1024 * 1024,
    "WEBSOCKET_RECEIVE_STALL": 60,  # seconds
    "WEBSOCKET_REQUIRE_ORIGIN": False,
    "WEBSOCKET_SEND_TIMEOUT": 20,  # seconds
}

PLUGIN_SETTINGS = frozenset({"PLUGINS", "PLUGINS_AUTOLOAD", "PLUGINS_DISABLED", "PLUGINS_STRICT"})

# What plans are compiled from; a change of anything else is seen where it is read.
PLAN_SETTINGS = frozenset(
    {
        "SECRET_KEY",
        "SERVER_NAME",
        "SESSION_COOKIE_NAME",
        "SESSION_REFRESH_EACH_REQUEST",
        "TRUSTED_HOSTS",
        "TRUSTED_PROXIES",
        "TRUSTED_PROXY_HEADERS",
        "WEBSOCKET_DISCONNECT",
    }
)


def auto_instance_path(import_name: str, name: str) -> str:
    """`instance` beside the app's top-level package or module; below the prefix when that is installed."""
    folder = package_folder(import_name)
    prefix = install_prefix(folder)
    return os.path.join(folder, "instance") if prefix is None else os.path.join(prefix, "var", f"{name}-instance")
