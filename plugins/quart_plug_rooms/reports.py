"""What a running process tells about its rooms, on a private Unix socket; and how it is asked.

Each process of an application has a socket of its own in a folder that only its user can enter; whoever connects is
sent JSON, and nothing is read. The application is known by its folder and name, so that processes of others are not
asked. A socket whose process is gone is removed by whoever finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import RoomError

if TYPE_CHECKING:
    from quart_plug import Quart

_LONGEST_PATH = 100  # bytes: what fits into a Unix socket's address everywhere
_PATIENCE = 3.0  # seconds for a process to answer

Report = dict[str, Any]


def are_possible() -> bool:
    """Whether there are Unix sockets on this system."""
    return hasattr(socket, "AF_UNIX") and hasattr(os, "getuid")


def folder() -> Path:
    """The folder of the sockets, which is made when it is not there; only the user can enter it.

    OSError when it cannot be made; RoomError when it is somebody else's, or open to others.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(given) / "quart-plug" if given and Path(given).is_dir() else None
    if path is None or len(os.fsencode(path)) > _LONGEST_PATH - 40:
        path = Path(tempfile.gettempdir()) / f"quart-plug-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise RoomError(f"{path} has to be a folder of this user's that nobody else can enter (mode 700)")
    return path


def key_of(app: Quart) -> str:
    """What the names of the sockets of an application's processes begin with."""
    return sha256(f"{Path(app.root_path).resolve()}\0{app.name}".encode()).hexdigest()[:12]


def sockets_of(app: Quart) -> list[Path]:
    """The sockets of an application's processes. Those of processes that are gone are removed."""
    found = []
    for path in sorted(folder().glob(f"{key_of(app)}-*.sock")):
        if _is_alive(path):
            found.append(path)
        else:
            _remove(path)
    return found


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _is_alive(path: Path) -> bool:
    """Whether somebody listens. The id in the name does not tell: containers that share the folder count anew."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # BlockingIOError is one: many are asking
            return True
    return True


def _listen(path: Path) -> socket.socket:
    """A socket that gets its name when it listens: before, others would take it for one whose process is gone."""
    unready = path.with_suffix(".new")
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(os.fspath(unready))
        os.chmod(unready, 0o600)
        sock.listen()
        unready.rename(path)
    except BaseException:
        sock.close()
        unready.unlink(missing_ok=True)
        raise
    return sock


class Reporter:
    """The socket of this process.

    report  what is told to whoever connects.
    """

    def __init__(self, app: Quart, report: Callable[[], Awaitable[Report]]) -> None:
        self.app = app
        self.report = report
        self.path: Path | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. What goes wrong is logged: the application works without it."""
        if not are_possible():
            return
        try:
            sockets_of(self.app)
            name = f"{key_of(self.app)}-{os.getpid()}-{os.urandom(3).hex()}.sock"
            path = folder() / name
            self._server = await asyncio.start_unix_server(self._answer, sock=_listen(path))
            self.path = path
        except (OSError, RoomError) as error:
            self.app.logger.warning("`quart-plug rooms` will not know of this process: %s", error)

    async def stop(self) -> None:
        """Stop listening, and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self.path is not None:
            _remove(self.path)
            self.path = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                writer.write(json.dumps(await self.report(), default=str).encode())
                await writer.drain()
        except ConnectionError:
            pass  # whoever only looks whether somebody is here reads nothing
        except OSError as error:
            self.app.logger.warning("A report on rooms was not given: %s", error)
        finally:
            writer.close()


async def ask(path: Path) -> Report | None:
    """What a process reports; None when it is gone, and then its socket is removed."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                answer = json.loads(await reader.read(-1))
            finally:
                writer.close()
    except (ConnectionRefusedError, FileNotFoundError):
        _remove(path)
        return None
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
