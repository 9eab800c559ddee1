"""`quart-plug rooms`, the sockets behind it, and the inspector's panel."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from quart_plug import Quart
from quart_plug_rooms import reports
from quart_plug_rooms.command import collect, rooms_command
from quart_plug_rooms.errors import RoomError
from tests.support.peers import until

from .conftest import MakeApp, enter


@pytest.fixture(autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own, with a short path."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="qp-") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)


async def test_a_process_reports_while_it_serves(make_app: MakeApp, runtime: Path) -> None:
    app = make_app()
    async with app.test_app():
        (path,) = reports.sockets_of(app)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        peers = [await enter(app, "/hall") for _ in range(2)]
        async with app.rooms.subscribe("hall"):
            await app.rooms.send("hall", "hello")
            report = await reports.ask(path)
        assert report is not None
        assert report["rooms"] == {"hall": {"here": 2, "subscribers": 1}}
        assert (report["backend"], report["shared"], report["process"]["pid"]) == ("memory", False, os.getpid())
        assert (report["process"]["sent"], report["process"]["dropped"]) == (2, 0)
        for peer in peers:
            await peer.gone()
    assert not list((runtime / "quart-plug").iterdir())


async def test_without_reports(make_app: MakeApp) -> None:
    app = make_app(reports=False)
    async with app.test_app():
        assert reports.sockets_of(app) == []


async def test_other_apps_are_not_asked(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with app.test_app():
        assert reports.sockets_of(Quart("shop", root_path=str(tmp_path))) == []
        assert reports.sockets_of(Quart("shed", root_path=app.root_path)) == []


async def test_stale_sockets_are_removed(make_app: MakeApp, runtime: Path) -> None:
    """Those where nobody listens, whatever process has the id in the name now."""
    app = make_app()
    key, folder = reports.key_of(app), reports.folder()
    gone = folder / f"{key}-{2**22 + 1}-abc.sock"
    strange = folder / f"{key}-x-abc.sock"
    refusing = folder / f"{key}-{os.getpid()}-abc.sock"
    for path in (gone, strange, refusing):
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    other = folder / "another-1-abc.sock"
    other.touch()
    assert reports.sockets_of(app) == []
    assert list(folder.iterdir()) == [other]
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(refusing))
    assert await reports.ask(refusing) is None
    assert await collect(app) == {"backend": None, "shared": False, "rooms": {}, "processes": [], "notes": []}
    assert list(folder.iterdir()) == [other]


async def test_a_process_of_another_container_is_left_alone(
    make_app: MakeApp, runtime: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its id means nothing here. That somebody looks whether it is there is no trouble for it."""
    app = make_app()
    async with app.test_app():
        (path,) = reports.sockets_of(app)
        foreign = path.rename(path.with_name(f"{reports.key_of(app)}-{2**22 + 1}-abc.sock"))
        for _ in range(3):
            assert reports.sockets_of(app) == [foreign]
        assert await reports.ask(foreign) is not None
        foreign.rename(path)
    assert "was not given" not in caplog.text
    assert list((runtime / "quart-plug").iterdir()) == []


async def test_a_process_that_does_not_answer_is_left_out(
    make_app: MakeApp, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_PATIENCE", 0.1)
    app = make_app()
    path = reports.folder() / f"{reports.key_of(app)}-{os.getpid()}-abc.sock"
    kept: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(lambda reader, writer: kept.append(writer), path)
    assert (await collect(app))["processes"] == []
    for writer in kept:
        writer.close()
    server.close()
    path.unlink(missing_ok=True)
    path = reports.folder() / f"{reports.key_of(app)}-{os.getpid()}-abd.sock"

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"no JSON")
        writer.close()

    server = await asyncio.start_unix_server(babble, path)
    assert (await collect(app))["processes"] == []
    server.close()


@pytest.mark.parametrize("how", ["open to others", "a file"])
async def test_a_folder_that_is_not_private(
    make_app: MakeApp, runtime: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is put there, and the application works without."""
    path = runtime / "quart-plug"
    if how == "a file":
        path.touch(0o600)
    else:
        path.mkdir(0o755)
        path.chmod(0o755)
    with pytest.raises(RoomError, match=r"nobody else can enter \(mode 700\)"):
        reports.folder()
    app = make_app()
    async with app.test_app():
        await app.rooms.send("hall", "x")
    assert "`quart-plug rooms` will not know of this process" in caplog.text


def test_a_long_runtime_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runtime: Path) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("tempfile.tempdir", str(runtime))
    assert reports.folder() == runtime / f"quart-plug-{os.getuid()}"


async def run(app: Quart, *arguments: str) -> str:
    result = await asyncio.to_thread(CliRunner().invoke, rooms_command(app), arguments)
    assert result.exit_code == 0, result.output
    return result.output


async def test_the_command(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(outbox_messages=1)
    asking = make_app()  # as in another process: the same application, that serves nobody
    asking.root_path = app.root_path
    said = "No process of this application that has rooms is running on this machine.\n"
    assert await run(asking) == said
    async with app.test_app():
        assert (await run(asking)).startswith("Nobody is in a room.\n\nProcess  Rooms  Members  Sent  Dropped  Waiting")
        slow, quick = await enter(app, "/hall"), await enter(app, "/cellar")
        slow.reading.clear()
        for text in "abcd":
            await app.rooms.send("hall", text)
        lines = (await run(asking)).splitlines()
        assert [line.split() for line in lines] == [
            ["Room", "Members", "Subscribers"], ["------", "-------", "-----------"],
            ["cellar", "1", "0"], ["hall", "1", "0"], [],
            ["Process", "Rooms", "Members", "Sent", "Dropped", "Waiting"], [*lines[6].split()],
            [str(os.getpid()), "2", "2", "0", "2", "1"],
        ]  # fmt: skip
        found = json.loads(await run(asking, "--json"))
        assert found["rooms"]["hall"] == {"members": 1, "here": 1, "subscribers": 0}
        assert found["processes"][0]["process"]["dropped"] == 2
        monkeypatch.setattr(reports, "are_possible", lambda: False)
        assert "Unix sockets do not exist on this system" in await run(asking)
        await slow.gone()
        await quick.gone()


async def test_what_a_shared_backend_knows_of_other_machines(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quart_plug_rooms.memory import MemoryBackend

    async def counts(self: Any) -> dict[str, int]:
        return {"hall": 7}

    app = make_app()
    monkeypatch.setattr(MemoryBackend, "is_shared", True)
    monkeypatch.setattr(MemoryBackend, "counts", counts)
    lines = (await run(app)).splitlines()
    assert lines[0].split() == ["Room", "Members", "On", "this", "machine", "Subscribers"]
    assert lines[2].split() == ["hall", "7", "0", "0"]

    async def fail(self: Any) -> None:
        raise ConnectionRefusedError("nobody listens at redis:6379")

    monkeypatch.setattr(MemoryBackend, "counts", fail)
    assert "The backend cannot be asked: nobody listens at redis:6379" in await run(app)
    monkeypatch.undo()


async def test_the_inspector_s_panel(make_app: MakeApp) -> None:
    from quart_plug_rooms import inspector_panels

    app = make_app()
    assert inspector_panels(app)["rows"] == []
    slow = await enter(app, "/hall?user=ann&outbox_messages=1")
    slow.reading.clear()
    for text in "abc":
        await app.rooms.send("hall", text)
    async with app.rooms.subscribe("hall"):
        panel = inspector_panels(app)
        assert panel["title"] == "Rooms"
        assert [dict(zip(panel["columns"], row, strict=True)) for row in panel["rows"]] == [
            {"Room": "hall", "Members": 1, "Subscribers": 1, "Waiting": 1, "Dropped": 1}
        ]
    await slow.gone()
    await until(lambda: not app.rooms.local_counts())
