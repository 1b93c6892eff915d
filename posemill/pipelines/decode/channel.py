"""Messages between processes over a socket that keeps them whole.

A `SOCK_SEQPACKET` socket hands each message to one receiver, also where
several processes read from it: that makes it a queue of work. File descriptors
travel along, which a pipe cannot do.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
from typing import Any

_MAX_BYTES = 2**16
_MAX_FDS = 4


def socket_pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Channel:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: Any, fds: tuple[int, ...] = ()) -> None:
        """Waits while the receiver has left too many unread.

        Raises:
            BrokenPipeError: nobody can receive it any more.
            ValueError: the message is too long.
        """
        data = pickle.dumps(message)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"a message of {len(data)} bytes; at most {_MAX_BYTES} can be sent")
        socket.send_fds(self._end, [data], fds)

    def receive(self) -> tuple[Any, list[int]] | None:
        """The next message and the file descriptors that came with it; None after the last one.

        The descriptors are the caller's to close.
        """
        try:
            data, fds, _, _ = socket.recv_fds(self._end, _MAX_BYTES, _MAX_FDS)
        except ConnectionResetError:
            return None
        for fd in fds:
            os.set_inheritable(fd, False)
        return (pickle.loads(data), fds) if data else None  # noqa: S301 - from our own processes

    def take_back(self) -> list[Any]:
        """The messages that nobody has received so far; nobody will."""
        messages = []
        with contextlib.suppress(BlockingIOError):
            while data := self._end.recv(_MAX_BYTES, socket.MSG_DONTWAIT):
                messages.append(pickle.loads(data))  # noqa: S301 - from our own processes
        return messages

    def close(self) -> None:
        self._end.close()
