"""What blocks keep from forward to backward, as far as a room of memory allows.

A block that keeps nothing computes it again in its backward pass. Its gradients are the same bit
for bit: the products that were kept are those that would be computed.
"""


class Room:
    """Bytes that the blocks of a network may keep, all together; ``most`` were taken at once."""

    def __init__(self, nbytes: int):
        self.nbytes, self.taken, self.most, self.lacked = nbytes, 0, 0, 0

    def take(self, nbytes: int) -> "Taken | None":
        """Room for ``nbytes`` until the answer is dropped; None where they are not left."""
        if self.taken + nbytes > self.nbytes:
            self.lacked = max(self.lacked, nbytes)
            return None
        return Taken(self, nbytes)

    def take_spare(self, nbytes: int) -> "Taken | None":
        """The same for what may do without: None also once a ``take`` has ever lacked room."""
        if self.lacked or self.taken + nbytes > self.nbytes:
            return None
        return Taken(self, nbytes)


class Taken:
    """A part of a room; it goes back with its last reference."""

    def __init__(self, room: Room, nbytes: int):
        self.room, self.nbytes = room, nbytes
        room.taken += nbytes
        room.most = max(room.most, room.taken)

    def __del__(self) -> None:
        self.room.taken -= self.nbytes


class Keeps:
    """A module that keeps what it computes while ``room`` has bytes left; None: nothing."""

    room: Room | None = None
