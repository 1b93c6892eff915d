"""A process that decodes clips into shared memory; run as a module by `process.DecoderProcess`.

It takes the next clip that nobody has taken, decodes it as far as its ring
reaches, waits for its reader there, and goes on to the next clip meanwhile
only when this one is decoded to its end. An exception that a video may have
caused ends it; what is the video's, or the environment's by name, does not.
"""

from __future__ import annotations

import os
import socket
import sys
from errno import ENOENT
from os import strerror
from time import monotonic

import cv2

from posemill.errors import ContentError, EnvironmentFault
from posemill.pipelines.decode.channel import Channel
from posemill.pipelines.decode.frame_ring import Bell, FrameRing
from posemill.pipelines.decode.messages import (
    Ahead,
    Answer,
    Broken,
    Dropped,
    Ended,
    Fetched,
    FrameReady,
    FramesReady,
    Opened,
    Ready,
    Refused,
    Request,
    Taken,
)
from posemill.pipelines.supervise.kin import end_with_parent
from posemill.pipelines.supervise.losses import describe, loss_of_error
from posemill.pipelines.supervise.pulse import PulseWriter
from posemill.storage.files.fetch import local_file
from posemill.storage.video import Frame, VideoReader, open_video

_MESSAGE_SECONDS = 0.002  # frames that come faster than that share a message
_KEPT_RINGS = 2  # one is read while the next clip fills the other


def main() -> None:
    """Decode until the parent goes."""
    parent, requests, answers, bell, pulse, ahead_bytes, ahead_frames = map(int, sys.argv[1:])
    end_with_parent(parent)
    for fd in (requests, answers, bell, pulse):
        os.set_inheritable(fd, False)
    cv2.setNumThreads(1)  # a decoder is one core's; more of them take more
    work = Channel(socket.socket(fileno=requests))
    decoder = Decoder(
        Channel(socket.socket(fileno=answers)),
        Bell(bell),
        PulseWriter(pulse),
        Ahead(ahead_bytes, ahead_frames),
    )
    while (taken := work.receive()) is not None:
        serial, request = taken[0]
        if not decoder.decode(serial, request):
            return


class Decoder:
    """Decodes one clip after the other; tells what it does by the clip's serial number."""

    def __init__(self, answers: Channel, bell: Bell, pulse: PulseWriter, ahead: Ahead) -> None:
        self._answers, self._bell, self._ahead = answers, bell, ahead
        self._beat = pulse.beat
        self._rings: list[FrameRing] = []
        self._serial = -1
        self._untold: list[FrameReady] = []
        self._told_at = monotonic()
        self._say(Ready())

    def decode(self, serial: int, request: Request) -> bool:
        """Whether the process can go on to another clip."""
        self._serial = serial
        self._beat("opening the file")
        self._say(Taken())
        answer = self._outcome(request)
        self._tell_frames()
        self._beat("waiting for work")
        self._say(answer)
        return not isinstance(answer, Broken)

    def _outcome(self, request: Request) -> Ended | Dropped | Refused | Broken:
        try:
            return self._hand_over(request)
        except _ReaderGone:
            sys.exit()
        except (ContentError, EnvironmentFault) as error:
            return Refused(error)
        except (FileNotFoundError, NotADirectoryError):  # also where a folder became a file
            return Refused(FileNotFoundError(ENOENT, strerror(ENOENT), str(request.location)))
        except OSError as error:
            return Refused(EnvironmentFault(describe(error)))
        except Exception as error:  # noqa: BLE001 - decided by another try and the probe
            return Broken(loss_of_error(error))

    def _hand_over(self, request: Request) -> Ended | Dropped:
        with local_file(request.location, request.cache, self._beat) as file:
            self._say(Fetched(file.identity))
            with open_video(
                file.path,
                start_seconds=request.start_seconds,
                end_seconds=request.end_seconds,
                limits=request.limits,
                **request.options.as_dict(),
            ) as reader:
                if not self._hand_over_frames(reader):
                    return Dropped()
                return Ended(reader.facts(), file.identity)

    def _hand_over_frames(self, reader: VideoReader) -> bool:
        """Whether the clip's reader took all of them."""
        ring = None
        self._beat("decoding frame 0")
        for frame in reader:
            ring = ring or self._open_ring(frame.rgb.nbytes)
            if (slot := self._slot(ring, frame.index)) is None:
                return False
            self._put(ring, slot, frame)
            self._beat(f"decoding frame {frame.index + 1}")
        return True

    def _slot(self, ring: FrameRing, index: int) -> int | None:
        """A free one for this frame, waited for; None when the reader has left."""
        while not ring.is_dropped(self._serial):
            if (slot := ring.free_slot()) is not None:
                return slot
            self._tell_frames()
            self._beat(f"waiting for its reader at frame {index}")
            ring.wait()
        return None

    def _put(self, ring: FrameRing, slot: int, frame: Frame) -> None:
        ring.put(slot, frame.rgb)
        self._untold.append(FrameReady(slot, frame.rgb.shape, frame.index, frame.pts_seconds))
        if monotonic() - self._told_at >= _MESSAGE_SECONDS:
            self._tell_frames()

    def _tell_frames(self) -> None:
        if self._untold:
            self._say(FramesReady(tuple(self._untold)))
            self._untold.clear()
        self._told_at = monotonic()

    def _open_ring(self, frame_bytes: int) -> FrameRing:
        """An empty one of this process, or a new one, and tell the clip's reader."""
        ring = next((ring for ring in self._rings if ring.can_take(frame_bytes)), None)
        if ring is not None:
            self._say(Opened(ring.number, ring.slot_bytes, ring.num_slots))
            return ring
        ring = FrameRing(frame_bytes, self._ahead.slots(frame_bytes), self._bell)
        self._say(Opened(ring.number, ring.slot_bytes, ring.num_slots), ring.fd)
        for old in self._rings[: 1 - _KEPT_RINGS]:
            old.close()
        self._rings = [*self._rings[1 - _KEPT_RINGS :], ring]
        return ring

    def _say(self, answer: Answer, *fds: int) -> None:
        try:
            self._answers.send((self._serial, answer), fds)
        except (BrokenPipeError, ConnectionResetError):
            raise _ReaderGone from None


class _ReaderGone(Exception):
    """The parent wants nothing more."""


if __name__ == "__main__":
    main()
