"""Rates, turns and outages, without a bot around them."""

from __future__ import annotations

import asyncio

import pytest

from frontend.bot.fairness import Rates, Turns
from frontend.bot.service import NotBack, Service
from frontend.client import Client
from frontend.transport import ApiError
from tests.running import free_port


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_gives_a_burst_and_then_so_many_a_second() -> None:
    clock = Clock()
    rates = Rates(0.5, 3, clock=clock)
    assert [rates.take("ann") for _ in range(4)] == [True, True, True, False]
    assert rates.take("bob")
    clock.now = 2.0
    assert [rates.take("ann"), rates.take("ann")] == [True, False]
    clock.now = 100.0
    assert rates.take("ann", 10), "a full bucket gives more than it holds, once"
    assert not rates.take("ann")


def test_a_reservation_says_how_long_to_wait_and_a_rest_comes_first() -> None:
    clock = Clock()
    rates = Rates(1.0, 1, clock=clock)
    assert [rates.reserve(1) for _ in range(3)] == [0.0, 1.0, 2.0]
    assert rates.reserve(2) == 0.0
    rates.rest(3, 30.0)
    assert rates.reserve(3) == 30.0


def test_a_rate_remembers_no_more_than_it_may() -> None:
    rates = Rates(1.0, 1, clock=Clock(), most=10)
    for key in range(100):
        rates.take(key)
    assert rates.take(0), "forgotten, as the one that was silent for longest"
    assert not rates.take(99)


def test_a_flood_from_one_chat_delays_another_by_one_turn() -> None:
    order: list[int] = []

    async def ask(turns: Turns, chat_id: int) -> None:
        async with turns.place(chat_id):
            order.append(chat_id)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        turns = Turns(1)
        flood = [asyncio.create_task(ask(turns, 1)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.gather(ask(turns, 2), ask(turns, 3), *flood)
        assert turns.waiting == 0

    asyncio.run(all_of_them())
    assert order.index(2) <= 3
    assert order.index(3) <= 4
    assert len(order) == 52


def test_whoever_gives_up_waiting_takes_no_place_along() -> None:
    async def all_of_them() -> None:
        turns = Turns(1)
        async with turns.place(1):
            waiting = asyncio.create_task(turns.place(2).__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(1), turns.place(3):
            pass

    asyncio.run(all_of_them())


def test_a_service_that_does_not_come_back_is_given_up() -> None:
    told: list[str] = []

    async def question() -> str:
        raise ApiError("service.down", "away")

    async def tell() -> None:
        told.append("held")

    service = Service(Client(f"http://127.0.0.1:{free_port()}"), Turns(1), hold_s=2.0)
    with pytest.raises(NotBack):
        asyncio.run(service.ask(1, question, tell))
    assert told == [], "given up before anybody would have been told to wait"
    assert service.outages == 1


def test_a_refusal_is_no_outage() -> None:
    async def question() -> str:
        raise ApiError("auth.forbidden", "no", status=403)

    async def tell() -> None:
        raise AssertionError

    with pytest.raises(ApiError):
        asyncio.run(Service(Client("http://127.0.0.1:9"), Turns(1), hold_s=9).ask(1, question, tell))
