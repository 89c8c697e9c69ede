"""One slow listener never holds up another, and knows what it missed."""

import threading

from tui_monitor.model.bus import EventBus


def test_listeners_get_what_they_asked_for_in_order() -> None:
    bus = EventBus()
    everything, alerts = bus.listen(), bus.listen("alert_update")
    bus.publish("data_changed", 1, version=5)
    bus.publish("alert_update", 2, id="x")
    assert [e.event for e in everything.drain()] == ["data_changed", "alert_update"]
    (event,) = alerts.drain()
    assert (event.ts, event.data) == (2, {"id": "x"})


def test_a_full_queue_loses_the_oldest_and_counts_them() -> None:
    bus = EventBus()
    slow, quick = bus.listen(size=2), bus.listen(size=10)
    for i in range(5):
        bus.publish("data_changed", i)
    assert [e.ts for e in slow.drain()] == [3, 4]
    assert slow.missed == 3
    assert (len(quick.drain()), quick.missed) == (5, 0)


def test_ids_grow_without_gap_over_threads() -> None:
    bus = EventBus()
    listener = bus.listen(size=10_000)
    threads = [
        threading.Thread(target=lambda: [bus.publish("data_changed", 0) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.id for e in listener.drain()] == list(range(1, 2_001))


def test_a_closed_listener_hears_nothing_more() -> None:
    bus = EventBus()
    listener = bus.listen()
    woken: list[bool] = []
    listener.wake = lambda: woken.append(True)
    bus.publish("data_changed", 1)
    listener.close()
    listener.close()
    bus.publish("data_changed", 2)
    assert woken == [True]
    assert [e.ts for e in listener.drain()] == [1]


def test_a_publisher_can_ask_whether_anybody_listens() -> None:
    bus = EventBus()
    assert not bus.wanted("data_changed")
    listener = bus.listen("data_changed")
    assert bus.wanted("data_changed")
    assert not bus.wanted("alert_update")
    listener.close()
    assert not bus.wanted("data_changed")
