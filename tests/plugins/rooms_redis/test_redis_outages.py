"""Whatever happens to Redis or to the connections: in order, once, and nothing is lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from quart_plug_rooms.backend import Entry, Gap
from quart_plug_rooms.errors import RoomsUnavailable
from quart_plug_rooms.redis import subscribing
from quart_plug_rooms.redis.backend import RedisBackend
from tests.support.redis import LIMIT, Redis

from .conftest import Process, process

SHORT = {"timeout": 0.5, "presence_expiry": 0.6}


class Traffic:
    """Messages "0", "1", … to the room "lobby", one after the other, each as soon as the one before is accepted."""

    def __init__(self, backend: RedisBackend) -> None:
        self.backend = backend
        self.sent = 0
        self._news = asyncio.Condition()
        self._ending = False

    async def run(self) -> None:
        while not self._ending:
            await self.backend.publish("lobby", f"{self.sent}", None, (), False)
            async with self._news:
                self.sent += 1
                self._news.notify_all()

    async def goes_on(self, messages: int = 20) -> None:
        """Until so many more were accepted."""
        goal = self.sent + messages
        async with asyncio.timeout(LIMIT), self._news:
            await self._news.wait_for(lambda: self.sent >= goal)

    def end(self) -> None:
        self._ending = True


@asynccontextmanager
async def traffic(backend: RedisBackend) -> AsyncIterator[Traffic]:
    """Within the block messages are sent; after it the last one was accepted."""
    sending = Traffic(backend)
    task = asyncio.ensure_future(sending.run())
    try:
        await sending.goes_on()
        yield sending
        await sending.goes_on()
    finally:
        sending.end()
        await task


async def check(listener: Process, sent: int) -> list[Gap]:
    """Every message of the traffic once and in order; those that did not come have a gap in their place. Returns the
    gaps."""
    await listener.has(f"{sent - 1}")
    numbers = [int(what) for what in listener.told if not isinstance(what, Gap)]
    assert numbers == sorted(set(numbers)), "twice, or out of order"
    expected, gaps = 0, []
    for what in listener.told:
        if isinstance(what, Gap):
            gaps.append(what)
            continue
        missing = int(what) - expected
        assert not missing or gaps, f"{missing} lost without a word before {what}"
        if gaps and all(gap.missed is not None for gap in gaps):
            assert missing == sum(gap.missed for gap in gaps)
        expected, gaps = int(what) + 1, []
    return [what for what in listener.told if isinstance(what, Gap)]


@pytest.mark.parametrize("persistence", [True, False], ids=["with its data", "without its data"])
@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_redis_stopped_and_started_again_under_traffic(tmp_path, how, persistence):
    with Redis(tmp_path, persistence=persistence) as server:
        async with process(server.url, **SHORT) as (one, first), process(server.url, **SHORT) as (two, second):
            await one.attach("lobby")
            await two.attach("lobby")
            await one.enter(Entry("lobby", "1"))
            async with traffic(one) as sending:
                await asyncio.to_thread(server.stop if how == "stopped" else server.kill)
                await asyncio.to_thread(server.start)
                await sending.goes_on()
            for listener in (first, second):
                gaps = await check(listener, sending.sent)
                assert [gap.missed for gap in gaps] == [None]
            assert [message.epoch for message in first.messages][-1] != first.messages[0].epoch
            async with asyncio.timeout(LIMIT):
                while [entry.id for entry in await two.presence("lobby")] != ["1"]:
                    pass


async def lost_and_back(backends, link, times):
    async with asyncio.timeout(LIMIT):
        while any(backend.status()[link] != {"up": True, "losses": times} for backend in backends):
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("kind", "link", "other"), [("normal", "messages", "subscriptions"), ("pubsub", "subscriptions", "messages")]
)
async def test_lost_connections_lose_no_message(redis_server, kind, link, other, monkeypatch):
    """What is published and what is subscribed to come back each by itself; history makes up for the rest."""
    monkeypatch.setattr(subscribing, "MOST_HISTORY", 100_000)  # the traffic is as fast as the machine
    options = {"history": 100_000, "history_bytes": 1 << 30, **SHORT}
    async with (
        process(redis_server.url, **options) as (one, first),
        process(redis_server.url, **options) as (two, second),
    ):
        await one.attach("lobby")
        await two.attach("lobby")
        async with traffic(one) as sending:
            with redis_server.client() as client:
                for times in range(1, 4):
                    assert client.client_kill_filter(_type=kind, skipme=True) == 2
                    await lost_and_back((one, two), link, times)
                    await sending.goes_on()
        for listener in (first, second):
            assert await check(listener, sending.sent) == []
        assert [backend.status()[other]["losses"] for backend in (one, two)] == [0, 0], "each comes back by itself"


async def test_what_history_does_not_reach_is_told_with_its_count(redis_server):
    async with (
        process(redis_server.url, history=5) as (one, _),
        process(redis_server.url, history=5) as (two, listener),
    ):
        await two.attach("lobby")
        await one.publish("lobby", "0", None, (), False)
        await listener.has("0")
        with redis_server.client() as client:
            pipeline = client.pipeline()  # one connection after the other is closed, and then the messages are there
            pipeline.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            script, sent = "for i = 1, 20 do redis.call('PUBLISH', 'x', i) end", range(1, 21)
            pipeline.eval(script, 0)
            pipeline.execute()
            for number in sent:
                await one.publish("lobby", f"{number}", None, (), False)
        await listener.has("20")
        gaps = await check(listener, 21)
        assert [gap for gap in gaps if gap.missed is None] == []


async def test_a_subscriber_that_redis_gives_up_has_a_gap(redis_server):
    """A process that does not read for too long: Redis closes its connection with all that was in the buffer."""
    with redis_server.client() as client:
        client.config_set("client-output-buffer-limit", "pubsub 200000 200000 1")
    async with process(redis_server.url, history=3) as (one, _), process(redis_server.url, history=3) as (two, slow):
        await two.attach("lobby")
        await one.publish("lobby", "first", None, (), False)
        await slow.has("first")
        reading = asyncio.Event()

        async def deliver(message):
            await reading.wait()
            await Process.deliver(slow, message)

        slow.deliver = deliver
        sent = 0
        with redis_server.client() as client:
            while len(client.client_list("pubsub")) == 2:
                await asyncio.gather(*(one.publish("lobby", "x" * 50_000, None, (), False) for _ in range(50)))
                sent += 50
                assert sent < 5000
        await one.publish("lobby", "last", None, (), False)
        reading.set()
        told = await slow.has("last")
        gaps = [what for what in told if isinstance(what, Gap)]
        assert gaps and all(gap.missed for gap in gaps)
        assert len(told) - len(gaps) + sum(gap.missed for gap in gaps) == sent + 2


async def test_a_redis_that_hangs_fails_what_waits_and_goes_on_later(redis_server):
    async with process(redis_server.url, wait=0.4, **SHORT) as (backend, listener):
        await backend.attach("lobby")
        await backend.publish("lobby", "before", None, (), False)
        with redis_server.paused():
            with pytest.raises(RoomsUnavailable, match="a message to the room 'lobby': it is not known whether it was"):
                await backend.publish("lobby", "never", None, (), False)
            with pytest.raises(RoomsUnavailable, match=r"a message to the room 'lobby': it was not sent: .*is away"):
                await backend.publish("lobby", "never either", None, (), False)
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    await backend.publish("lobby", "after", None, (), False)
                    break
                except RoomsUnavailable:
                    pass
        told = await listener.has("after")
        assert [what for what in told if not isinstance(what, Gap)] == ["before", "after"]


async def test_a_short_pause_is_waited_for(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        with redis_server.paused():
            waiting = asyncio.ensure_future(backend.publish("lobby", "hello", None, (), False))
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done() and listener.told == []
        await waiting
        assert await listener.has("hello") == ["hello"]


async def test_forgotten_scripts_are_loaded_again(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        async with traffic(backend) as sending:
            with redis_server.client() as client:
                for _ in range(3):
                    client.script_flush()
                    await sending.goes_on()
        assert await check(listener, sending.sent) == []


async def test_everything_flushed_is_a_gap_and_presence_comes_back(redis_server):
    async with process(redis_server.url, **SHORT) as (backend, listener):
        await backend.attach("lobby")
        await backend.enter(Entry("lobby", "1"))
        async with traffic(backend) as sending:
            with redis_server.client() as client:
                client.flushall()
        assert [gap.missed for gap in await check(listener, sending.sent)] == [None]
        async with asyncio.timeout(LIMIT):
            while [entry.id for entry in await backend.presence("lobby")] != ["1"]:
                pass


async def test_a_full_redis_is_an_error_and_then_goes_on(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        with redis_server.client() as client:
            client.config_set("maxmemory", 1)
            with pytest.raises(RoomsUnavailable, match=r"it was not sent: .*memory"):
                await backend.publish("lobby", "no room", None, (), False)
            client.config_set("maxmemory", 0)
        await backend.publish("lobby", "room", None, (), False)
        assert await listener.has("room") == ["room"]


async def test_a_read_only_replica_is_waited_for(redis_server):
    async with process(redis_server.url) as (backend, listener):
        await backend.attach("lobby")
        with redis_server.client() as client:
            client.config_set("replica-serve-stale-data", "yes")
            client.replicaof("127.0.0.1", 1)
            waiting = asyncio.ensure_future(backend.publish("lobby", "hello", None, (), False))
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done()
            client.replicaof("NO", "ONE")
        await waiting
        assert await listener.has("hello")


async def test_members_of_a_process_that_died_vanish(redis_server):
    """It says nothing any more, and does not take leave: as SIGKILL and a machine that is gone have it."""
    async with process(redis_server.url, **SHORT) as (one, _):
        dead = RedisBackend(redis_server.url, "test", presence_expiry=0.6)
        await dead.start(Process())
        await dead.enter(Entry("lobby", "dead", since=1.0))
        await one.enter(Entry("lobby", "alive", since=2.0))
        assert [entry.id for entry in await one.presence("lobby")] == ["dead", "alive"]
        await asyncio.gather(dead._subscriber.stop(), dead._commands.link.stop())
        async with asyncio.timeout(LIMIT):
            while [entry.id for entry in await one.presence("lobby")] != ["alive"]:
                pass
        assert await one.counts() == {"lobby": 1}
        with redis_server.client() as client:
            async with asyncio.timeout(LIMIT):  # and another process clears away
                while len(client.keys("test:here:*")) > 1:
                    await asyncio.sleep(0)
        await dead.stop()


async def test_what_has_failed_while_redis_is_away_is_kept_nowhere(redis_server, monkeypatch):
    """Messages, questions and members; before the first connection, and after a loss with things on their way."""
    async with process(redis_server.url, wait=0.2) as (backend, listener):
        await backend.attach("lobby")
        redis_server.kill()
        for turn in range(3):
            failed = await asyncio.gather(
                *(backend.publish("lobby", "x" * 1000, None, (), False) for _ in range(300)),
                *(backend.history("lobby", 5) for _ in range(300)),
                *(backend.presence("lobby") for _ in range(30)),
                *(backend.enter(Entry("lobby", f"{turn}-{number}")) for number in range(300)),
                return_exceptions=True,
            )
            assert {type(each) for each in failed} == {RoomsUnavailable}
        messages, commands, presence = backend._publisher, backend._commands, backend._presence
        async with asyncio.timeout(LIMIT):  # the ends of futures are told in the next turns of the loop
            while len(commands._waiting) > 2 or messages._under_way:  # what stays: the heartbeat, one of presence
                await asyncio.sleep(0)
        assert (len(messages._waiting), messages._count, messages._bytes, len(commands._asked)) == (0, 0, 0, 0)
        assert not presence._members and not presence._new
        assert sum(map(len, presence._changes.values())) <= 300  # those of whom Redis may have been told
        monkeypatch.setattr("quart_plug_rooms.redis.backend.QUESTIONS", 2)
        failed = await asyncio.gather(*(backend.history("lobby", 5) for _ in range(3)), return_exceptions=True)
        assert "2 questions wait for redis://" in str(failed[2])
        redis_server.start()
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    await backend.publish("lobby", "back", None, (), False)
                    break
                except RoomsUnavailable:
                    pass
        await listener.has("back")
        assert not [told for told in listener.told if told == "x" * 1000]
        assert await backend.presence("lobby") == []


async def test_a_heartbeat_that_fails_is_followed_by_others(redis_server, monkeypatch, caplog):
    async with process(redis_server.url, presence_expiry=0.6) as (backend, _):
        await backend.enter(Entry("lobby", "1"))
        learn, failed = backend._commands.learn, asyncio.Event()

        def fail(generation, time):
            if not failed.is_set():
                failed.set()
                raise ValueError("strange answer")
            return learn(generation, time)

        monkeypatch.setattr(backend._commands, "learn", fail)
        async with asyncio.timeout(LIMIT):
            await failed.wait()
            redis_server.client().flushall()
            while True:  # only a heartbeat writes it again
                if [entry.id for entry in await backend.presence("lobby")] == ["1"]:
                    break
    assert "that this process is alive: strange answer" in caplog.text


async def test_going_on_where_nothing_is_kept(redis_server):
    """The room's position stays when its history is gone, and is told."""
    async with process(redis_server.url, history_seconds=0.001) as (backend, _):
        assert await backend.position("unknown") == ("", 0)
        await backend.attach("lobby")
        epoch, number = await backend.position("lobby")
        assert epoch and number == 0
        sent = await backend.publish("lobby", "hello", None, (), False)
        assert await backend.position("lobby") == (sent.epoch, 1) == (epoch, 1)
