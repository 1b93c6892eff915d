"""The frames of one clip, as they come from a decoder process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from posemill.pipelines.decode.frame_ring import RingReader
from posemill.pipelines.decode.messages import (
    Broken,
    ClipEvent,
    Ended,
    FrameReady,
    Refused,
    Request,
)
from posemill.pipelines.supervise.losses import ProcessLost
from posemill.storage.video import Frame

if TYPE_CHECKING:
    from posemill.pipelines.decode.process import DecoderProcess


class ClipFrames:
    """An iterator of a clip's `Frame`s, once; a context manager, which closes it.

    A frame's `rgb` may be kept and written to: its memory is nobody else's
    until the last array that looks at it is gone. Made by `pool.DecoderPool`.
    """

    def __init__(
        self,
        serial: int,
        request: Request,
        wait: Callable[[ClipFrames, Callable[[], object]], None],
        done: Callable[[], None],
    ) -> None:
        """`serial` is its number in the pool; `wait` comes back when a condition holds; `done` is
        called once.
        """
        self.request = request
        self.decoder: DecoderProcess | None = None
        """Who has taken it."""
        self.identity = ""
        """Of its file, as `Video.identity`; empty until that is here."""
        self.events = deque[ClipEvent]()
        """What its decoder said and nobody has read."""
        self._serial, self._wait, self._done = serial, wait, done
        self._ring: RingReader | None = None
        self._ended: Ended | None = None
        self._is_closed = False

    def __enter__(self) -> ClipFrames:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        """The next frame, waited for.

        Raises:
            ContentError: the video's fault; not one frame can be decoded.
            FileNotFoundError: the file is not there.
            EnvironmentFault: the file is there and cannot be read.
            ProcessLost: the decoder is lost with this clip.
        """
        if self._is_closed:
            raise StopIteration
        event = self._next_event()
        if isinstance(event, Ended):
            self._ended = event
            self._finish()
            raise StopIteration
        del self.events[0]
        assert self._ring is not None  # noqa: S101 - frames come after their ring
        return Frame(event.index, event.pts_seconds, self._ring.take(event.slot, event.shape))

    @property
    def is_fetched(self) -> bool:
        """Whether its file is here."""
        return bool(self.identity)

    def fetch(self) -> None:
        """Wait until the file is here, or there is word of why it is not, for `open` to raise.

        Raises:
            ProcessLost: there is no decoder that could take it.
        """
        if not self._is_closed:
            self._wait(self, lambda: self.is_fetched or self.events)

    def open(self) -> None:
        """Wait for the first frame without reading it, and raise what doing so would raise."""
        if not self._is_closed:
            self._next_event()

    @property
    def ended(self) -> Ended:
        """The video's facts and its file's identity; known after the last frame.

        Raises:
            ValueError: frames are left.
        """
        if self._ended is None:
            raise ValueError(
                f"the facts of {self.request.item_id!r} are known after its last frame; read on"
            )
        return self._ended

    def _next_event(self) -> FrameReady | Ended:
        """Waited for, and left in its place."""
        try:
            if not self.events:
                self._wait(self, lambda: self.events)
            match self.events[0]:
                case Refused(error=error):
                    raise error
                case Broken(loss=loss):
                    raise ProcessLost(loss)
                case event:
                    return event
        except Exception:
            self.close()
            raise

    def use(self, ring: RingReader) -> None:
        """Called by the pool with the ring in which the frames will lie."""
        if self._is_closed:
            ring.drop(self._serial)
        else:
            self._ring = ring

    def put(self, *events: ClipEvent) -> None:
        """Called by the pool with what the decoder says."""
        if not self._is_closed:
            self.events.extend(events)

    def close(self) -> None:
        """Want no more frames; those that were taken stay."""
        if not self._is_closed:
            if self._ring is not None:
                self._ring.drop(self._serial)
            self._finish()

    def _finish(self) -> None:
        self._is_closed = True
        self.events.clear()
        self._ring = None
        self._done()
