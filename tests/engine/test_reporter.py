"""How busy the model is."""

from fwtui.engine.reporter import BusyClock


def test_waits_count_between_pieces_of_work_but_not_rests() -> None:
    clock = BusyClock()
    clock.begin(100.0)
    assert clock.end(103.0) == 3.0
    clock.begin(104.0)
    clock.end(105.0)
    clock.interrupt()
    clock.begin(900.0)
    clock.end(901.0)
    assert (clock.worked, clock.waited) == (5.0, 1.0)


def test_work_that_broke_off_is_neither() -> None:
    clock = BusyClock()
    clock.begin(0.0)
    clock.interrupt()
    clock.begin(10.0)
    clock.end(11.0)
    assert (clock.worked, clock.waited) == (1.0, 0.0)
