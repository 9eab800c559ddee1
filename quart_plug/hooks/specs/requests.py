"""Hooks of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from ...ctx import Context
    from ...wrappers import Response

# Requests -----------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def request_started(ctx: Context) -> None:
    """A request's handling begins; before every `before_request` function."""


@hookspec(kind="first", colour="async")
async def request_before(ctx: Context) -> Any | None:
    """Before the view and before the app's `before_request` functions; an answer takes the view's place."""


@hookspec(kind="pipe", colour="async")
async def request_after(ctx: Context, response: Response) -> Response | None:
    """After the app's `after_request` functions; an answer replaces the response."""


@hookspec(kind="first", colour="async")
async def request_error(ctx: Context, error: Exception) -> Any | None:
    """An error for which the application has no handler, be it an HTTP error; an answer is the response's value.

    Without one an HTTP error is its own response, and any other error is a 500 (`request_failed`). Not called for
    redirects.
    """


@hookspec(kind="notify", colour="async")
async def request_finished(ctx: Context, response: Response) -> None:
    """A response is complete and about to be sent."""


@hookspec(kind="notify", colour="async")
async def request_failed(ctx: Context, error: BaseException) -> None:
    """A request raised an error that nothing handled; the client gets status 500."""


@hookspec(kind="notify", colour="async")
async def request_teardown(ctx: Context, exc: BaseException | None) -> None:
    """A request's context ends; after the app's `teardown_request` functions."""
