"""Queries off the loop: how many run and wait, and what becomes of one whose asker leaves."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from tui_monitor.server.prometheus.running import Parts, Running
from tui_monitor.server.refusal import Refusal

Work = Callable[[threading.Event], bool]


def request(gone: asyncio.Event) -> Request:
    """One whose asker leaves when the event is set."""

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "headers": []}, receive)


def waiting(began: threading.Event | None = None) -> Work:
    """Work that goes on until it is cancelled; whether it was."""

    def work(cancel: threading.Event) -> bool:
        if began is not None:
            began.set()
        return cancel.wait(10)

    return work


async def test_who_leaves_cancels_the_query() -> None:
    gone, began = asyncio.Event(), threading.Event()
    asked = asyncio.create_task(Running(1, 0).run(request(gone), waiting(began)))
    await asyncio.to_thread(began.wait, 10)
    gone.set()
    assert await asked is True


async def test_a_request_that_is_given_up_cancels_the_query() -> None:
    ended, began = threading.Event(), threading.Event()

    def work(cancel: threading.Event) -> None:
        began.set()
        if cancel.wait(10):
            ended.set()

    asked = asyncio.create_task(Running(1, 0).run(request(asyncio.Event()), work))
    await asyncio.to_thread(began.wait, 10)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await asyncio.to_thread(ended.wait, 10)


async def test_too_many_are_refused_and_then_there_is_room_again() -> None:
    running, gone, began = Running(1, 1), asyncio.Event(), threading.Event()
    first = asyncio.create_task(running.run(request(gone), waiting(began)))
    await asyncio.to_thread(began.wait, 10)
    second = asyncio.create_task(running.run(request(gone), waiting()))
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as refused:
        await running.run(request(gone), waiting())
    assert (refused.value.status, refused.value.error_type) == (503, "unavailable")
    assert refused.value.retry_after
    gone.set()
    assert await first
    with pytest.raises(Refusal) as left:
        await second
    assert left.value.status == 499
    assert await running.run(request(asyncio.Event()), lambda _cancel: True)


async def test_what_waits_and_is_left_never_runs() -> None:
    running, gone, began = Running(1, 1), asyncio.Event(), threading.Event()
    first = asyncio.create_task(running.run(request(gone), waiting(began)))
    await asyncio.to_thread(began.wait, 10)
    ran: list[bool] = []
    second = asyncio.create_task(running.run(request(asyncio.Event()), lambda _cancel: ran.append(True)))
    await asyncio.sleep(0)
    second.cancel()
    gone.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await running.run(request(asyncio.Event()), lambda _cancel: not ran)


async def test_who_leaves_while_waiting_frees_the_place_at_once() -> None:
    running, gone, left, began = Running(1, 1), asyncio.Event(), asyncio.Event(), threading.Event()
    first = asyncio.create_task(running.run(request(gone), waiting(began)))
    await asyncio.to_thread(began.wait, 10)
    second = asyncio.create_task(running.run(request(left), waiting()))
    await asyncio.sleep(0)
    left.set()
    with pytest.raises(Refusal):
        await second
    third = asyncio.create_task(running.run(request(asyncio.Event()), lambda _cancel: True))
    await asyncio.sleep(0)
    assert not third.done()
    gone.set()
    assert await first
    assert await third


def wide(running: Running, made: list[int]) -> Parts:
    """An answer of five parts; which of them were made is noted."""

    def parts() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield b"x"

    return Parts(b"a", b"b", parts(), running)


async def test_an_answer_that_is_read_slowly_holds_its_place() -> None:
    running, made, reads = Running(1, 1), list[int](), asyncio.Event()
    never = request(asyncio.Event())
    answer = await running.run(never, lambda _cancel: wide(running, made))
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            await reads.wait()
            sent.append(message["body"])

    sending = asyncio.create_task(answer({"type": "http"}, never.receive, send))
    second = asyncio.create_task(running.run(request(asyncio.Event()), lambda _cancel: True))
    await asyncio.sleep(0.05)
    assert not second.done()
    reads.set()
    await sending
    assert await second
    assert sent == [b"a", b"b", b"x", b"x", b"x"]


async def test_an_answer_whose_reader_left_is_made_no_further() -> None:
    running, made, gone = Running(1, 0), list[int](), asyncio.Event()
    asker = request(gone)
    answer = await running.run(request(asyncio.Event()), lambda _cancel: wide(running, made))

    async def send(message: Message) -> None:
        gone.set()
        await asyncio.sleep(0.01)

    await answer({"type": "http"}, asker.receive, send)
    assert made == []
    await asyncio.sleep(0)
    assert await running.run(request(asyncio.Event()), lambda _cancel: True)


async def test_an_answer_that_is_never_sent_frees_its_place() -> None:
    running = Running(1, 0)
    answer = await running.run(request(asyncio.Event()), lambda _cancel: wide(running, []))
    del answer
    await asyncio.sleep(0.05)
    assert await running.run(request(asyncio.Event()), lambda _cancel: True)
