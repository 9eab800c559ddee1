"""The plugin `security`: whose pages may open websockets, which proxies are believed, headers on every response.

    WEBSOCKET_ALLOWED_ORIGINS, WEBSOCKET_REQUIRE_ORIGIN   origins.py
    TRUSTED_PROXIES, TRUSTED_PROXY_HEADERS                proxies.py
    the plugin's own configuration                        settings.py, headers.py

By default handshakes are looked at, and nothing else: a request has none of this on its way. What a setting asks for is
imported when it is asked for. (TRUSTED_HOSTS is the kernel's.)

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from quart_plug.compat import alias_is_active
from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.ctx import Context
    from quart_plug.typing import Scope

    from .origins import Policy
    from .settings import Settings

__all__ = ["Settings"]

SETTING = "WEBSOCKET_ALLOWED_ORIGINS"


@hookimpl
def configuration_schema(app: Quart) -> type[Settings]:
    from .settings import Settings

    return Settings


@hookimpl
def setup(app: Quart) -> None:
    headers = app.plugin_config(configuration_schema(app)).headers()
    if headers:
        from .headers import header_setter

        # Before all others in the table, so called after them: what an application sets itself is there by then.
        app.after_request_funcs[None].insert(0, header_setter(headers))
    for setting in (SETTING, "TRUSTED_PROXIES"):
        check_setting(app, setting)
    for rule in app.url_map.iter_rules():
        options = getattr(rule, "connection_options", {})
        if "allowed_origins" in options:
            policy_of(options["allowed_origins"], f"allowed_origins of the rule {str(rule)!r}")
    # What is set later, because something needed the plugins before, is told where it is set.
    app.config.on_change.append(lambda setting: check_setting(app, setting))


def check_setting(app: Quart, setting: str) -> None:
    """ValueError for a setting of this plugin that makes no sense."""
    if setting == SETTING and app.config[SETTING] is not None:
        policy_of(app.config[SETTING], SETTING)
    elif setting in ("TRUSTED_PROXIES", "TRUSTED_PROXY_HEADERS"):
        scope_filters(app)


# Proxies


@hookimpl
def scope_filters(app: Quart) -> Callable[[Scope], Scope] | None:
    if not app.config["TRUSTED_PROXIES"]:
        return None
    from .proxies import scope_filter

    return scope_filter(app.config, lambda text: app.logger.warning("Ignored what a proxy has said: %s", text))


# Origins


def policy_of(value: Any, where: str) -> Policy:
    """The policy of a setting, read once."""
    return _policy(value if value is None or isinstance(value, str) else _frozen(value, where), where)


def _frozen(value: Any, where: str) -> Any:
    try:
        return tuple(value)
    except TypeError:
        return value


@lru_cache(256)
def _policy(value: Any, where: str) -> Policy:
    from .origins import policy

    return policy(value, where)


@hookimpl(tryfirst=True)
async def websocket_before(ctx: Context) -> Any:
    app = ctx.app
    options = getattr(ctx.url_rule, "connection_options", {})
    own = options.get("allowed_origins")
    value = app.config[SETTING] if own is None else own
    if value is None and alias_is_active():
        return None  # Quart has no such check, and its applications run as they stand
    from .origins import refusal

    where = SETTING if own is None else f"allowed_origins of the rule {str(ctx.url_rule)!r}"
    refused = refusal(ctx.scope, policy_of(value, where), app.config["WEBSOCKET_REQUIRE_ORIGIN"])
    if refused is None:
        return None
    app.logger.warning(
        "Refused websocket %s for %s: its origin is %s; expected %s; see %s.%s",
        ctx.websocket.id, ctx.websocket.path, refused.seen, refused.expected, where, refused.hint,
    )  # fmt: skip
    body = "This websocket is not open to pages of another origin. The log of the server says more.\n"
    return body, 403, {"content-type": "text/plain; charset=utf-8"}
