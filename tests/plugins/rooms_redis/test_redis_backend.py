"""The backend over a real Redis: what every process gets, keeps and knows."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from quart_plug_rooms.backend import Entry, Gap, Message
from quart_plug_rooms.errors import RoomsUnavailable
from quart_plug_rooms.redis.backend import RedisBackend
from tests.support.redis import LIMIT, Redis, free_port

from .conftest import Process, process

PEM = Path(__file__).parent.parent / "hypercorn" / "localhost.pem"


async def send(backend: RedisBackend, room: str, data: str | bytes, **options) -> Message:
    return await backend.publish(
        room, data, options.get("sender"), options.get("exclude", ()), options.get("is_json", False)
    )


async def test_every_process_gets_every_message_once_and_in_one_order(redis_server):
    async with process(redis_server.url) as (one, first), process(redis_server.url) as (two, second):
        await asyncio.gather(one.attach("lobby"), two.attach("lobby"))
        await asyncio.gather(*(send((one, two)[number % 2], "lobby", f"{number}") for number in range(500)))
        assert await first.count(500) == await second.count(500)
        assert sorted(map(int, first.told)) == list(range(500))
        for parity in (0, 1):  # each sender's own order
            own = [int(data) for data in first.told if int(data) % 2 == parity]
            assert own == sorted(own)
        assert [message.number for message in first.messages] == list(range(1, 501))
        assert first.messages == second.messages


async def test_a_message_arrives_as_it_was_sent(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        sent = [
            await send(backend, "lobby", "grüße\x00\n", sender="a b", exclude=["x", "-", "y,z"]),
            await send(backend, "lobby", b"\xff\x00 ", exclude=()),
            await send(backend, "lobby", "{}", is_json=True),
            await send(backend, "lobby", ""),
        ]
        await listener.count(4)
        assert listener.messages == sent
        assert [message.number for message in sent] == [1, 2, 3, 4]
        assert {message.epoch for message in sent} == {sent[0].epoch}
        assert sent[0].exclude == ("x", "-", "y,z") and sent[0].sender == "a b"


async def test_only_rooms_that_are_attached_are_subscribed_to(redis_server):
    with redis_server.client() as client:
        channels = lambda: sorted(client.pubsub_channels("test:channel:*"))  # noqa: E731
        async with process(redis_server.url) as (backend, listener), process(redis_server.url) as (other, there):
            await backend.attach("a")
            await backend.attach("b")
            assert channels() == [b"test:channel:0:a", b"test:channel:0:b"]
            await backend.detach("a")
            await other.attach("b")
            await send(other, "a", "nobody")
            await send(other, "b", "both")
            assert await listener.has("both") == ["both"] == await there.has("both")
            assert channels() == [b"test:channel:0:b"]
            await backend.attach("a")
            await send(other, "a", "again")
            assert await listener.has("again") == ["both", "again"]
        assert client.pubsub_channels() == []


async def test_attaching_and_detaching_in_a_hurry_loses_nothing(redis_server):
    async with process(redis_server.url) as (backend, listener):
        for number in range(30):
            await backend.attach("lobby")
            await send(backend, "lobby", f"{number}")
            await listener.has(f"{number}")
            await backend.detach("lobby")
        assert listener.told == [f"{number}" for number in range(30)]


async def test_history_is_the_same_for_every_process(redis_server):
    async with process(redis_server.url, history=5) as (one, _), process(redis_server.url, history=5) as (two, _):
        sent = [await send(one, "lobby", f"{number}") for number in range(8)]
        assert await two.history("lobby", 3) == sent[-3:]
        assert await two.history("lobby", 100) == sent[-5:]
        assert await two.history("lobby", 100, after=7) == sent[-1:]
        assert await two.history("lobby", 0) == await two.history("empty", 5) == []


async def test_history_has_limits_in_bytes_and_in_time(redis_server):
    async with process(redis_server.url, history_bytes=400, history_seconds=0.5) as (backend, _):
        for number in range(6):
            await send(backend, "lobby", f"{number}" * 100)
        assert [message.data[0] for message in await backend.history("lobby", 50)] == ["4", "5"]
        await send(backend, "lobby", "x" * 1000)
        assert [message.data[0] for message in await backend.history("lobby", 50)] == ["x"]
        with redis_server.client() as client:
            assert 0 < client.pttl("test:history:lobby") <= 500
            assert client.pttl("test:room:lobby") > 3600_000


async def test_rooms_without_history(redis_server):
    async with process(redis_server.url, history=0) as (backend, listener):
        await backend.attach("lobby")
        await send(backend, "lobby", "hello")
        await listener.has("hello")
        assert await backend.history("lobby", 5) == []
    with redis_server.client() as client:
        assert client.keys("test:history:*") == []


async def test_presence_and_counts_over_all_processes(redis_server):
    async with process(redis_server.url) as (one, _):
        async with process(redis_server.url) as (two, _):
            ada = Entry("lobby", "1", "ada", {"colour": "red"}, 1.0, "p1")
            bob = Entry("lobby", "2", 7, None, 2.0, "p2")
            eve = Entry("attic", "2", None, [1], 3.0, "p2")
            await asyncio.gather(two.enter(eve), two.enter(bob), one.enter(ada))
            assert await one.presence("lobby") == [ada, bob] == await two.presence("lobby")
            assert await one.counts() == {"lobby": 2, "attic": 1} == await two.counts()
            await two.leave(eve)
            await two.leave(eve)
            await two.enter(Entry("cellar", "3"))  # behind what leaving wrote
            assert await one.counts() == {"lobby": 2, "cellar": 1}
        assert await one.presence("lobby") == [ada]
        assert await one.counts() == {"lobby": 1}
    with redis_server.client() as client:
        left = [key for key in client.keys("*") if key.split(b":")[1] in (b"here", b"at", b"rooms", b"processes")]
        assert left == []


async def test_a_thousand_enter_at_once(redis_server):
    async with process(redis_server.url) as (backend, _):
        entries = [Entry("lobby", f"{number}", since=float(number)) for number in range(1200)]
        await asyncio.gather(*map(backend.enter, entries))
        assert await backend.presence("lobby") == entries
        with redis_server.client() as client:
            assert client.info("commandstats")["cmdstat_evalsha"]["calls"] < 60


async def test_what_is_in_the_way_on_the_channel_is_logged_and_left_out(redis_server, caplog):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        with redis_server.client() as client:
            for garbage in (b"hello", b"", b"\xff\xfe", b"qp1 ", b"qp9 a 1 5 b 1 t - - x", b'{"a": 1}' * 1000):
                client.publish("test:channel:0:lobby", garbage)
        await send(backend, "lobby", "after")
        assert await listener.has("after") == ["after"]
        assert backend.status()["malformed"] == 6
    complaints = [record for record in caplog.records if "is no message" in record.getMessage()]
    assert len(complaints) == 1 and "'lobby'" in complaints[0].getMessage()


async def test_a_message_that_another_wrote_on_the_channel_does_not_break_the_order(redis_server):
    """One that has the form of a message, and no place in the room: numbers are asked for, and go on."""
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        await send(backend, "lobby", "one")
        with redis_server.client() as client:
            client.publish("test:channel:0:lobby", b"qp1 abc 77 5 def 1 t - - foreign")
        await send(backend, "lobby", "two")
        told = await listener.has("two")
        assert [what for what in told if what in ("one", "two")] == ["one", "two"]


async def test_garbage_in_history_and_presence(redis_server, caplog):
    async with process(redis_server.url) as (backend, _):
        await send(backend, "lobby", "fine")
        await backend.enter(Entry("lobby", "1"))
        with redis_server.client() as client:
            client.rpush("test:history:lobby", b"garbage")
            [here] = client.keys("test:here:*")
            client.hset(here, mapping={"2": b"garbage", "3": b"[]", "4": b"\xff"})
        assert [message.data for message in await backend.history("lobby", 5)] == ["fine"]
        assert [entry.id for entry in await backend.presence("lobby")] == ["1"]


async def test_a_key_of_another_kind_is_an_error_with_its_reason(redis_server):
    async with process(redis_server.url) as (backend, _):
        with redis_server.client() as client:
            client.set("test:room:lobby", "something else")
        with pytest.raises(RoomsUnavailable, match=r"it was not sent: .*WRONGTYPE"):
            await send(backend, "lobby", "hello")
        await send(backend, "attic", "others go on")


async def test_databases_of_one_server_are_apart(redis_server):
    async with (
        process(redis_server.url) as (one, first),
        process(redis_server.url.replace("/0", "/1")) as (two, second),
    ):
        await one.attach("lobby")
        await two.attach("lobby")
        await send(one, "lobby", "zero")
        await send(two, "lobby", "one")
        assert await first.has("zero") == ["zero"]
        assert await second.has("one") == ["one"]


@pytest.mark.parametrize(
    "url",
    ["redis://user:secret@host:port", "redis://:secret@host/?db=x", "http://user:secret@host", "redis://h:99999999"],
)
async def test_a_url_that_cannot_be_read_is_told_without_its_password(url):
    with pytest.raises(ValueError, match="is no URL of a Redis") as caught:
        RedisBackend(url, "test")
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None


async def test_a_wrong_password_stops_the_start_and_is_not_told(tmp_path, caplog):
    with Redis(tmp_path, password="right-secret") as server:
        backend = RedisBackend(server.url.replace("right", "wrong"), "test")
        with pytest.raises(RoomsUnavailable, match="does not let us in") as caught:
            await backend.start(Process())
        await backend.stop()
        assert "secret" not in str(caught.value) + caplog.text
        async with process(server.url) as (backend, listener):
            await backend.attach("lobby")
            await send(backend, "lobby", "hello")
            await listener.has("hello")
            assert "secret" not in str(backend.status())


async def test_a_user_who_may_not_do_enough_stops_the_start(redis_server):
    with redis_server.client() as client:
        client.acl_setuser("ada", enabled=True, passwords=["+hidden"], commands=["+ping"], keys=["*"])
    url = redis_server.url.replace("://", "://ada:hidden@")
    backend = RedisBackend(url, "test")
    with pytest.raises(RoomsUnavailable, match=r"does not let us in: .*no permissions") as caught:
        await backend.start(Process())
    await backend.stop()
    assert "hidden" not in str(caught.value)


async def test_a_user_who_may_do_what_the_documentation_says(redis_server):
    with redis_server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "rooms", "on", ">hidden", "~test:*", "&test:*", "+@all", "-@dangerous", "-@admin", "+info"
        )
    async with process(redis_server.url.replace("://", "://rooms:hidden@")) as (backend, listener):
        await backend.attach("lobby")
        await backend.enter(Entry("lobby", "1"))
        await send(backend, "lobby", "hello")
        await listener.has("hello")


async def test_over_tls(tmp_path):
    with Redis(tmp_path, tls=(PEM, PEM), password="secret") as server:
        async with process(server.url) as (backend, listener):
            await backend.attach("lobby")
            await send(backend, "lobby", "hello")
            await listener.has("hello")


async def test_without_redis_the_app_starts_and_joins_it_later(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    with Redis(tmp_path) as server:
        server.stop()
        async with process(server.url, wait=0.05) as (backend, listener):
            with pytest.raises(RoomsUnavailable, match=r"it was not sent: redis://127.0.0.1:.* is away: .*connect"):
                await send(backend, "lobby", "lost, and said so")
            with pytest.raises(RoomsUnavailable, match="the messages of the room 'lobby'"):
                await backend.attach("lobby")
            with pytest.raises(RoomsUnavailable, match="joining the room 'lobby'"):
                await backend.enter(Entry("lobby", "1"))
            for question in (backend.presence("lobby"), backend.counts(), backend.history("lobby", 5)):
                with pytest.raises(RoomsUnavailable):
                    await question
            server.start()
            async with asyncio.timeout(LIMIT):
                while True:
                    try:
                        await backend.attach("lobby")
                        break
                    except RoomsUnavailable:
                        pass
            await send(backend, "lobby", "here")
            assert await listener.has("here") == ["here"]
            assert await backend.presence("lobby") == []
    assert "Rooms start without Redis" in caplog.text


async def test_redis_can_be_required():
    backend = RedisBackend(f"redis://:secret@127.0.0.1:{free_port()}", "test", required=True)
    with pytest.raises(RoomsUnavailable, match="is away, and is required") as caught:
        await backend.start(Process())
    await backend.stop()
    assert "secret" not in str(caught.value)


async def test_a_listener_that_fails_once_gets_what_comes_after(redis_server, caplog):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        deliver = listener.deliver

        async def fail(message):
            listener.deliver = deliver
            raise RuntimeError("broken")

        listener.deliver = fail
        await send(backend, "lobby", "first")
        await send(backend, "lobby", "second")
        assert await listener.has("second") == ["second"]
    assert "'lobby' was not delivered" in caplog.text


async def test_stopping_while_redis_is_away_does_not_hang(redis_server):
    async with process(redis_server.url) as (backend, _):
        await backend.attach("lobby")
        await backend.enter(Entry("lobby", "1"))
        waiting = asyncio.ensure_future(asyncio.sleep(0))
        redis_server.kill()
        waiting = asyncio.ensure_future(send(backend, "lobby", "waits"))
        await asyncio.sleep(0)
        async with asyncio.timeout(LIMIT):
            await backend.stop()
        with pytest.raises(RoomsUnavailable, match="the app has stopped"):
            await waiting


async def test_a_sender_that_gives_up_does_not_send(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        with redis_server.paused():
            waiting = asyncio.ensure_future(send(backend, "lobby", "given up"))
            behind = asyncio.ensure_future(send(backend, "lobby", "behind it"))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await behind
        await send(backend, "lobby", "last")
        assert [data for data in await listener.has("last") if not isinstance(data, Gap)][-2:] == ["behind it", "last"]
