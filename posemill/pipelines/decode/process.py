"""A decoder process, seen from its parent: started, listened to, ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from posemill.pipelines.decode.channel import Channel, socket_pair
from posemill.pipelines.decode.frame_ring import Bell, RingReader
from posemill.pipelines.decode.messages import (
    Ahead,
    Answer,
    Broken,
    Dropped,
    Ended,
    Opened,
    Refused,
    Taken,
)
from posemill.pipelines.supervise import kin
from posemill.pipelines.supervise.losses import during, loss_of_exit, loss_of_signal, oom_kills
from posemill.pipelines.supervise.messages import Cause, Loss
from posemill.pipelines.supervise.pulse import PulseReader

_END_SECONDS = 5.0
_KEPT_RINGS = 2  # as the process keeps them


class DecoderProcess:
    """Starts at once, in the process group of its parent; ends with that."""

    def __init__(self, requests: int, ahead: Ahead) -> None:
        """`requests` is the file descriptor of the queue from which the process takes its work."""
        self.serial: int | None = None
        """Of the clip that it has taken and not ended."""
        self.loss: Loss | None = None
        """Why it is no more."""
        self.was_idle = False
        """Whether it was lost with no clip that it has told of."""
        self.pulse = PulseReader()
        self._bell = Bell()
        self._rings: dict[int, RingReader] = {}
        self._oom_kills = oom_kills()
        ours, theirs = socket_pair()
        self._answers = Channel(ours)
        fds = [requests, theirs.fileno(), self._bell.fileno(), self.pulse.fd]
        numbers = [os.getpid(), *fds, ahead.num_bytes, ahead.num_frames]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    *(sys.executable, "-m", "posemill.pipelines.decode.decoder_process"),
                    *map(str, numbers),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=fds,
                env=kin.environment(),
            )
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """Readable when `receive` would not wait."""
        return self._answers.fileno()

    def receive(self) -> tuple[int, Answer | RingReader] | None:
        """What it says next, by a clip's serial number; None when it has ended.

        An `Opened` comes as the reader of the ring that was opened. A process
        that is lost with a clip says `Broken` of that, also by dying.
        """
        received = self._answers.receive()
        if received is None:
            return self._last_words()
        (serial, answer), fds = received
        match answer:
            case Taken():
                self.serial = serial
            case Ended() | Refused() | Dropped():
                self.serial = None
            case Broken(loss=loss):
                self.serial, self.loss = None, loss
            case Opened():
                return serial, self._ring(answer, fds)
        return serial, answer

    def _last_words(self) -> tuple[int, Broken] | None:
        if self.loss is not None:
            return None
        self.loss = self._death()
        if self.serial is None:
            self.was_idle = True
            return None
        serial, self.serial = self.serial, None
        return serial, Broken(self.loss)

    def end(self) -> None:
        """Kill it; frames that were taken stay."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._bell.close()
        self.pulse.close()

    def _ring(self, opened: Opened, fds: list[int]) -> RingReader:
        for fd in fds:
            self._rings[opened.ring] = RingReader(
                fd, opened.slot_bytes, opened.num_slots, self._bell
            )
            os.close(fd)
        while len(self._rings) > _KEPT_RINGS:
            del self._rings[min(self._rings)]
        return self._rings[opened.ring]

    def _death(self) -> Loss:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(_END_SECONDS)
            loss = loss_of_signal(-status, self._oom_kills) if status < 0 else loss_of_exit(status)
            return during(loss, self.pulse.activity)
        return Loss(Cause.CRASHED, "a decoder closed its socket and did not end")
