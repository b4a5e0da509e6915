"""Room for activations: it is shared out until it is full, and comes back."""

from thinslice.nets.kept import Room


def test_what_is_taken_comes_back_with_its_last_reference():
    room = Room(100)
    taken = room.take(80)
    assert taken is not None
    assert room.take(40) is None
    del taken
    assert room.take(100) is not None


def test_spare_room_is_none_once_something_else_has_lacked_room():
    room = Room(100)
    assert room.take_spare(101) is None
    spare = room.take_spare(50)
    assert spare is not None
    assert room.take(60) is None
    assert room.take_spare(10) is None
