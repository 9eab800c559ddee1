"""Run a program in a child process that is started again when its code changes.

The parent only supervises: it starts the same command again (so `-m`, scripts and console scripts work) and
holds no socket. The child watches the files of the modules it has imported and the Python files in the app's
folders; on a change it stops itself as Ctrl+C would, and ends with `RESTART`. How a child ends decides what
the parent does:

    RESTART              start it again
    0                    it ended, after what the program does behind `run()`; end as well
    FINAL                it was to end (a port in use, Ctrl+C); end with the status it noted
    anything else        it crashed, perhaps before any of this code ran (a syntax error in the script): wait
                         for a change, then start it again

Works by asking for modification times, which every platform and file system has. Knows no server and no app.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

CHILD = "QUART_PLUG_RELOADER_PARENT"
RESTART = 3
FINAL = 64  # the child's own status is added to it
INTERVAL = 0.25  # seconds
SETTLE = 0.1  # seconds
PATIENCE = 5.0  # seconds
MAX_FOLDERS = 2_000
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}

Times = dict[str, float]


def run_with_reloader(run: Callable[[], None], folders: Iterable[str] = ()) -> None:
    """Call `run()` in a supervised child process; the parent ends with the child's status.

    folders   where Python files are watched, though nothing has imported them yet.

    A program that cannot be started again (typed into a prompt, or read from standard input) is run as it is.
    """
    folders = [os.path.abspath(folder) for folder in folders]
    if is_child():
        _run_child(run, folders)
    elif can_restart():
        sys.exit(_supervise(folders))
    else:
        run()


def is_child() -> bool:
    """Whether this process is a supervised one."""
    return CHILD in os.environ


def can_restart() -> bool:
    """Whether the same command would run the same program."""
    main = sys.modules.get("__main__")
    return "-c" in sys.orig_argv[1:] or getattr(main, "__file__", None) is not None


def restart_on_change(error: BaseException, folders: Iterable[str] = ()) -> None:
    """In the child: show an error that only a change of code can cure, wait for one, and be restarted."""
    # Looked at before the error is shown, since that is what makes somebody edit.
    extra = _files_of(error)
    before = watched_files(folders, extra)
    traceback.print_exception(error)
    sys.stderr.flush()
    try:
        _wait_for_change(folders, extra, before=before)
    except KeyboardInterrupt:
        _exit(FINAL)
    _exit(RESTART)


def watched_files(folders: Iterable[str] = (), extra: Iterable[str] = ()) -> Times:
    """The files to watch, with their modification times."""
    times: Times = {}
    for path in (*_module_files(), *_folder_files(folders), *extra):
        if path not in times:
            try:
                times[path] = os.stat(path).st_mtime
            except (OSError, ValueError):
                continue
    return times


def changed_file(before: Times, now: Times) -> str | None:
    """A file that is not what it was: modified, added to a watched folder, or gone."""
    for path, modified in now.items():
        if before.get(path) != modified:
            return path
    return next((path for path in before if path not in now), None)


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            yield path[:-1] if path.endswith((".pyc", ".pyo")) else path


def _folder_files(folders: Iterable[str]) -> Iterator[str]:
    count = 0
    for folder in folders:
        for root, names, files in os.walk(folder):
            count += 1
            if count > MAX_FOLDERS:
                return
            # A virtual environment in the project's folder is not the project.
            names[:] = [
                name
                for name in names
                if name not in _SKIPPED
                and not name.startswith(".")
                and not os.path.exists(os.path.join(root, name, "pyvenv.cfg"))
            ]
            for name in files:
                if name.endswith(".py"):
                    yield os.path.join(root, name)


def _files_of(error: BaseException) -> list[str]:
    """The files an error speaks of; a module that failed to import is not in `sys.modules`."""
    files = []
    current: BaseException | None = error
    while current is not None:
        files += [frame.filename for frame in traceback.extract_tb(current.__traceback__)]
        if isinstance(current, SyntaxError) and current.filename:
            files.append(current.filename)
        current = current.__cause__ or current.__context__
    return files


def _wait_for_change(
    folders: Iterable[str],
    extra: Iterable[str] = (),
    stopped: Callable[[], bool] = lambda: False,
    before: Times | None = None,
) -> str | None:
    """The changed file, or None when stopped. Modules imported meanwhile are watched from then on."""
    if before is None:
        before = watched_files(folders, extra)
    while not stopped():
        time.sleep(INTERVAL)
        now = watched_files(folders, extra)
        for path in now.keys() - before.keys():
            if not any(path.startswith(folder + os.sep) for folder in folders):
                before[path] = now[path]
        changed = changed_file(before, now)
        if changed is not None:
            time.sleep(SETTLE)  # an editor may write a file in several steps
            return changed
    return None


# The child -------------------------------------------------------------------------------------------------


def _run_child(run: Callable[[], None], folders: list[str]) -> None:
    restart = threading.Event()
    ended = threading.Event()
    parent = int(os.environ[CHILD])
    # Taken before anything runs, so that a change during start-up counts.
    before = watched_files(folders)

    def watch() -> None:
        changed = _wait_for_change(folders, stopped=lambda: ended.is_set() or _orphaned(parent), before=before)
        if ended.is_set():
            return
        if changed is not None:
            print(f"Restarting: {changed} has changed", file=sys.stderr, flush=True)
            restart.set()
        # The first asks to finish, the second does not wait any longer.
        _interrupt()
        if not ended.wait(PATIENCE):
            _interrupt()

    watcher = threading.Thread(target=watch, name="reloader", daemon=True)
    watcher.start()
    status: Any = 0
    try:
        run()
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except Exception as error:
        if not restart.is_set():
            ended.set()
            restart_on_change(error, folders)
    else:
        if not restart.is_set() and not _orphaned(parent):
            ended.set()
            return  # the program goes on behind `run()`
    ended.set()
    _exit(RESTART if restart.is_set() else FINAL + _number(status))


def _number(status: Any) -> int:
    if status is None:
        return 0
    return status & 63 if isinstance(status, int) and status < 128 else 1


def _interrupt() -> None:
    if os.name == "nt":
        import _thread

        _thread.interrupt_main()
    else:
        # To the process, since that wakes the main thread out of the event loop's wait.
        os.kill(os.getpid(), signal.SIGTERM)


def _orphaned(parent: int) -> bool:
    return os.name != "nt" and os.getppid() != parent


def _exit(status: int) -> None:
    # A thread that never returns would keep the interpreter from ending.
    last_resort = threading.Timer(PATIENCE, os._exit, (status,))
    last_resort.daemon = True
    last_resort.start()
    raise SystemExit(status)


# The parent ------------------------------------------------------------------------------------------------


class _Forwarding:
    """While a child runs: pass on a request to end, unless the child has got it from the terminal as well."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.stopped = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _Forwarding:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *error: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        if self.child is not None and not (number == signal.SIGINT and _from_terminal()):
            self.child.send_signal(number)


def _from_terminal() -> bool:
    """Whether Ctrl+C reaches the whole group of processes that we are in."""
    if os.name == "nt":
        return True
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _supervise(folders: list[str]) -> int:
    command = [sys.executable or sys.orig_argv[0], *sys.orig_argv[1:]]
    environment = {**os.environ, CHILD: str(os.getpid())}
    with _Forwarding() as forwarding:
        while True:
            before = watched_files(folders)
            with subprocess.Popen(command, env=environment) as child:
                forwarding.child = child
                if forwarding.stopped:
                    child.terminate()
                status = child.wait()
                forwarding.child = None
            if status == RESTART and not forwarding.stopped:
                continue
            if status == 0 or FINAL <= status < 128:
                return status % FINAL
            if status < 0:
                return 128 - status
            if forwarding.stopped:
                return 0 if status == RESTART else status
            print("The program ended with an error; waiting for a change", file=sys.stderr, flush=True)
            if _wait_for_change(folders, stopped=lambda: forwarding.stopped, before=before) is None:
                return 1
