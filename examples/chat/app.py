"""A chat. `quart-plug --app app:app run` in this folder, then open http://127.0.0.1:5000 in several tabs.

/       the page, with a form for the name or, once there is one, with the chat
/name   takes that form, and keeps the name in the session
/ws     the messages, as JSON; static/chat.js is at the other end

Who is here and what is said goes through two rooms of the plugin `rooms`. They are in this process's memory or, by
configuration alone, shared by many processes over Redis; see README.md.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

from quart_plug import (
    BadRequest,
    Quart,
    ResponseReturnValue,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
    websocket,
)
from quart_plug_rooms import rooms

NO_NAME = 4401  # a close code of our own (4000 to 4999 are free); chat.js loads the page again, which asks for a name
NAME_LENGTH = 30  # characters
TALK = "talk"  # the room of what people say, which is kept for newcomers
NEWS = "news"  # the room of what only those need to know who are here now
REDIS_IS_AWAY = OSError  # what rooms raise then
LOOK_AGAIN = 10  # seconds: who was in a process that has died is gone after a while, and nobody says so

app = Quart(__name__)
app.config.from_toml("settings.toml")
app.config.from_prefixed_env("CHAT")


@app.get("/")
async def page() -> str:
    return await render_template("chat.html", name_length=NAME_LENGTH, message_length=app.config["MESSAGE_LENGTH"])


@app.post("/name")
async def choose_name() -> ResponseReturnValue:
    form = await request.form
    name = " ".join(form.get("name", "").split())
    is_new = "user" not in session
    user = secrets.token_hex(8) if is_new else session["user"]
    try:
        problem = await name_problem(user, name)
        if not problem:
            session.permanent = True  # the browser keeps it when it is closed
            session["user"] = user
            session["name"] = name
            if not is_new:  # open tabs connect anew, by the new name
                await rooms.send_json(NEWS, {"type": "renamed", "user": user})
    except REDIS_IS_AWAY:
        problem = "Nobody can be asked just now. Please try again in a moment."
    if problem:
        await flash(problem)
    return redirect(url_for("page"), 303)


async def name_problem(user: str, name: str) -> str | None:
    """What is wrong with a name, in words for who chose it; None when it is a good one."""
    if not name or not name.isprintable():
        return "Please choose a name."
    if len(name) > NAME_LENGTH:
        return f"That name is too long: {NAME_LENGTH} characters at most."
    for person in await rooms.presence(TALK):
        if person.info.casefold() == name.casefold() and person.user != user:
            return f"Somebody here is called {person.info} already."
    return None


@app.websocket("/ws")
async def chat() -> None:
    await websocket.accept()
    if "user" not in session:
        # After accepting, since a browser does not let its script see why a handshake was refused.
        await websocket.close(NO_NAME, "Choose a name first")
        return
    try:
        async with (
            rooms.join(TALK, user=session["user"], info=session["name"], history=app.config["HISTORY"]),
            rooms.join(NEWS),
        ):
            await tell_who_is_here()
            while True:  # until the connection is closed: then `receive_json` raises ConnectionClosed
                await hear()
    finally:
        await tell_who_is_here()


async def hear() -> None:
    """Receive one message and act on it. What is wrong with it is told to its sender only."""
    try:
        message = await websocket.receive_json()
        await say(read_text(message))
    except BadRequest as error:
        await websocket.send_json({"type": "problem", "text": error.description})


def read_text(message: Any) -> str:
    """The text of `{"type": "say", "text": …}`. Raises BadRequest for anything else."""
    match message:
        case {"type": "say", "text": str(text)} if text.strip():
            if len(text) > app.config["MESSAGE_LENGTH"]:
                raise BadRequest(f"A message has at most {app.config['MESSAGE_LENGTH']} characters.")
            return text.strip()
        case {"type": "say"}:
            raise BadRequest("A message needs a text.")
        case _:
            raise BadRequest("The chat does not understand that message.")


async def say(text: str) -> None:
    """Tell everybody, whichever process they are connected to."""
    message = {"id": secrets.token_hex(8), "user": session["user"], "name": session["name"], "text": text}
    try:
        await rooms.send_json(TALK, {"type": "message", **message, "at": time.time()})
    except REDIS_IS_AWAY:
        raise BadRequest("That could not be sent. Please try again in a moment.") from None


async def tell_who_is_here() -> None:
    """Tell everybody. While Redis is away nobody knows; it is done again before long (see `looking_again`)."""
    try:
        people = [
            {"user": person.user, "name": person.info, "tabs": len(person.connections)}
            for person in await rooms.presence(TALK)
        ]
        await rooms.send_json(NEWS, {"type": "people", "people": people})
    except REDIS_IS_AWAY as error:
        app.logger.warning("Nobody knows who is in the chat: %s", error)


@app.while_serving
async def looking_again() -> AsyncGenerator[None, None]:
    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            await tell_who_is_here()

    looking = asyncio.create_task(look())
    yield
    looking.cancel()
