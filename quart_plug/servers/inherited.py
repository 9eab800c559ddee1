"""What a worker has of its supervisor (see workers.py): the listening socket, and a channel that says who lives.

Over the channel the worker says that it serves. Its end says that the supervisor is gone, however it went; then nobody
would restart or stop this process any more, and it stops as on SIGTERM.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping
from types import FrameType

__all__ = ["AT_ONCE_SIGNAL", "TERMINALS", "VARIABLE", "Inherited", "ignored", "worker_number"]

VARIABLE = "QUART_PLUG_WORKER"  # the file descriptors of socket and channel, and the worker's number
SERVES = b"S"
TERMINALS = frozenset(  # what the terminal sends to all processes of a program
    number for name in ("SIGINT", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
AT_ONCE_SIGNAL: int | None = getattr(signal, "SIGQUIT", None)  # from the supervisor: what a second SIGTERM is to others
_LATE_SECONDS = 10.0
_number: int | None = None


def worker_number() -> int | None:
    """Which of several workers this process is: a number from 1 up. None: it serves alone, or does not serve.

    For what is to be done once for all workers, or said when each has memory of its own. It is of `quart-plug run`
    and `app.run`; a server's own command does not tell.
    """
    return _number


def ignored(number: int, frame: FrameType | None) -> None:
    """A signal that the supervisor passes on as another one, or not at all."""


class Inherited:
    """sock     listens.
    number   which worker this is, from 1 up; another process may have had it before.
    """

    def __init__(self, sock: socket.socket, channel: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self._channel = channel

    @classmethod
    def from_environment(cls) -> Inherited | None:
        """What this process has inherited, or None when it is no worker. A second time it is None."""
        told = os.environ.pop(VARIABLE, None)  # programs that the application starts are no workers
        if told is None:
            return None
        try:
            listener, channel, number = map(int, told.split(":"))
            for descriptor in (listener, channel):
                os.set_inheritable(descriptor, False)
        except (ValueError, OSError):
            return None  # started by an application at its import, with what was meant for that
        return cls(socket.socket(fileno=listener), socket.socket(fileno=channel), number)

    @staticmethod
    def environment(environment: Mapping[str, str], listener: int, channel: int, number: int) -> dict[str, str]:
        """The environment of a worker that is to inherit these file descriptors."""
        return {**environment, VARIABLE: f"{listener}:{channel}:{number}"}

    def say_running(self, line: str) -> None:
        """Tell the supervisor that this worker serves. For `announce`: the supervisor says where, once for all."""
        try:
            self._channel.send(SERVES)
        except OSError:
            pass  # it is gone, and the watch knows

    def close(self) -> None:
        """Close the socket and the channel."""
        self.sock.close()
        self._channel.close()

    def watch(self, seconds: float) -> None:
        """Stop this process when the supervisor is gone; after so many seconds it is ended.

        What the terminal sends is the supervisor's from now on, and `worker_number` tells which worker this is.
        """
        global _number
        _number = self.number
        for number in TERMINALS:
            signal.signal(number, ignored)  # not SIG_IGN, which the application's own processes would inherit
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINALS)

        def wait() -> None:
            try:
                while self._channel.recv(16):
                    pass
            except OSError:
                pass
            last_resort = threading.Timer(seconds + _LATE_SECONDS, os._exit, (1,))
            last_resort.daemon = True
            last_resort.start()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, name="quart_plug.supervisor", daemon=True).start()
