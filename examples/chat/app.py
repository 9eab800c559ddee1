"""A chat. `quart-plug --app app:app run` in this folder, then open http://127.0.0.1:5000 in several tabs.

/       the page, with a form for the name or, once there is one, with the chat
/name   takes that form, and keeps the name in the session
/ws     the messages, as JSON; static/chat.js is at the other end
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from chat_room import NAME_LENGTH, Room, Tab

from quart_plug import (
    BadRequest,
    ConnectionClosed,
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

NO_NAME = 4401  # a close code of our own (4000 to 4999 are free); chat.js loads the page again, which asks for a name
TRY_AGAIN_LATER = 1013

app = Quart(__name__)
app.config.from_toml("settings.toml")
app.config.from_prefixed_env("CHAT")

room = app.extensions["chat_room"] = Room(history=app.config["HISTORY"])


@app.get("/")
async def page() -> str:
    return await render_template("chat.html", name_length=NAME_LENGTH, message_length=app.config["MESSAGE_LENGTH"])


@app.post("/name")
async def choose_name() -> ResponseReturnValue:
    form = await request.form
    name = " ".join(form.get("name", "").split())
    user = session.get("user") or secrets.token_hex(8)
    problem = room.name_problem(user, name)
    if problem:
        await flash(problem)
    else:
        session.permanent = True  # the browser keeps it when it is closed
        session["user"] = user
        session["name"] = name
        room.rename(user, name)
    return redirect(url_for("page"), 303)


@app.websocket("/ws")
async def chat() -> None:
    await websocket.accept()
    if "user" not in session:
        # After accepting, since a browser does not let its script see why a handshake was refused.
        await websocket.close(NO_NAME, "Choose a name first")
        return
    with room.enter(session["user"], session["name"]) as tab:
        sending = asyncio.create_task(send_outbox(tab))
        try:
            while True:  # until the connection is closed: then `receive_json` raises ConnectionClosed
                await hear(tab)
        finally:
            sending.cancel()


async def hear(tab: Tab) -> None:
    """Receive one message and act on it. What is wrong with it is told to its sender only."""
    try:
        message = await websocket.receive_json()
        text = read_text(message)
    except BadRequest as error:
        tab.tell(type="problem", text=error.description)
    else:
        room.say(tab.person, text)


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


async def send_outbox(tab: Tab) -> None:
    """Send what the room has for a tab, for as long as the tab keeps up."""
    try:
        while not (tab.fell_behind and tab.outbox.empty()):
            await websocket.send(await tab.outbox.get())
        await websocket.close(TRY_AGAIN_LATER, "Too slow")
    except ConnectionClosed:
        pass  # `chat` has learned of it as well
