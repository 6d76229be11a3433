"""What waits for an MQTT broker: one message at a time, in order, whatever the line does."""

import threading

import pytest

from gestures import ActionError
from gestures.actions import outbox
from gestures.actions.outbox import Message, Outbox

HELLO = [Message("config", "{}", retain=True), Message("there", "online", retain=True)]


def told(box):
    """All that it gives, each taken before the next."""
    out = []
    while (message := box.take()) is not None:
        out.append((message.topic, message.text))
        box.taken()
    return out


def test_introductions_then_events_and_states_in_order_then_the_newest_of_each_value():
    box = Outbox()
    box.open(HELLO)
    for n in range(3):
        box.put_value("y", f"y{n}")
        box.put_value("x", f"x{n}")
        box.put_event("go", f"{n}")
        box.put_state("lamp", "ON" if n % 2 == 0 else "OFF")
    expected = [("config", "{}"), ("there", "online")]
    expected += [("go", "0"), ("lamp", "ON"), ("go", "1"), ("lamp", "OFF"), ("go", "2"), ("lamp", "ON")]
    assert told(box) == [*expected, ("y", "y2"), ("x", "x2")]


def test_nothing_goes_while_a_message_is_under_way_or_the_broker_is_away():
    box = Outbox()
    box.put_event("go", "0")
    box.put_event("go", "1")
    assert box.take() is None
    box.open([])
    assert box.take() == Message("go", "0", retain=False)
    assert box.take() is None
    box.shut()
    box.open(HELLO)
    # The library sends again what was under way; until that is taken nothing may overtake it.
    assert box.take() is None
    box.taken()
    assert told(box) == [("config", "{}"), ("there", "online"), ("go", "1")]


def test_states_do_not_pile_up_while_the_broker_is_away_and_the_newest_is_told():
    box = Outbox()
    box.open([])
    box.put_state("lamp", "ON")
    box.put_event("go", "0")
    box.put_value("x", "1")
    box.shut()
    box.put_state("lamp", "OFF")
    box.put_value("x", "2")
    box.open(HELLO)
    assert told(box) == [("config", "{}"), ("there", "online"), ("lamp", "OFF"), ("x", "2"), ("go", "0")]
    box.shut()
    box.open(HELLO)
    assert told(box) == [("config", "{}"), ("there", "online"), ("lamp", "OFF"), ("x", "2")]


def test_too_many_events_are_refused(monkeypatch):
    monkeypatch.setattr(outbox, "QUEUED", 3)
    box = Outbox()
    for n in range(3):
        box.put_event("go", str(n))
    with pytest.raises(ActionError, match="3 messages wait"):
        box.put_event("go", "3")


def test_what_is_left_at_the_end_is_counted():
    box = Outbox()
    assert box.drain(0) == 0
    box.put_event("go", "0")
    box.put_event("go", "1")
    assert box.drain(20) == 2  # the broker is away: waiting is in vain
    box.open(HELLO)
    assert box.drain(0.01) == 2
    taking = threading.Thread(target=lambda: told(box))
    taking.start()
    assert box.drain(20) == 0
    taking.join()
    box.put_event("go", "2")
    assert box.take() is not None
    box.shut()
    assert box.drain(20) == 1
