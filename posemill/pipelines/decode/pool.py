"""Decoder processes that work on the next clips while one is read."""

from __future__ import annotations

import selectors
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from math import inf
from time import monotonic
from types import TracebackType

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.decode.channel import Channel, socket_pair
from posemill.pipelines.decode.clip import ClipFrames
from posemill.pipelines.decode.frame_ring import RingReader
from posemill.pipelines.decode.messages import (
    Ahead,
    Answer,
    Broken,
    Dropped,
    Ended,
    Fetched,
    FramesReady,
    Ready,
    Refused,
    Request,
    Taken,
)
from posemill.pipelines.decode.process import DecoderProcess
from posemill.pipelines.supervise.losses import ProcessLost, during
from posemill.pipelines.supervise.messages import Cause, Loss

_POLL_SECONDS = 0.1
_AHEAD = Ahead()
_LEFT = Broken(Loss(Cause.FAILED, "a decoder left a clip whose reader had not closed it"))


class DecoderPool:
    """Starts its processes at once; a context manager, which ends them. Not for several threads.

    At most one clip more than there are decoders is asked for and not finished,
    and each of them is decoded ahead of its reader by `ahead` at most. So
    `num_decoders + 1` rings of `ahead.num_bytes` (or of two frames, where
    those are larger) hold frames that wait for a reader; up to two more rings a
    decoder are kept for its next clips.

    A decoder that is lost is told to whoever reads the clip that it was at, and
    to nobody else: clips that were decoded before are read to their end.
    """

    def __init__(
        self, num_decoders: int = 1, ahead: Ahead = _AHEAD, silence_seconds: float = inf
    ) -> None:
        """A decoder that gives no sign of life for `silence_seconds` while it is waited for is
        lost; by default whoever owns this process watches over that."""
        if num_decoders < 1:
            raise InputError(f"a pool has at least 1 decoder, got {num_decoders}")
        ours, theirs = socket_pair()
        self._requests, self._queue = Channel(ours), Channel(theirs)
        self._silence_seconds = silence_seconds
        self._is_closed = False
        self._selector = selectors.DefaultSelector()
        self._decoders = [DecoderProcess(theirs.fileno(), ahead) for _ in range(num_decoders)]
        for decoder in self._decoders:
            self._selector.register(decoder, selectors.EVENT_READ, decoder)
        self._serials = count()
        self._clips: dict[int, ClipFrames] = {}
        """Asked for, and not ended by their decoder."""
        self._num_unread = 0
        """Asked for, and neither read to the end nor closed."""
        self._num_ready = 0
        self._beat: Callable[[str], None] = _silent

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def decoders(self) -> tuple[DecoderProcess, ...]:
        return tuple(self._decoders)

    def ready(self) -> None:
        """Wait until every process can decode.

        Raises:
            EnvironmentFault: one has ended.
        """
        while self._num_ready < len(self._decoders):
            self._collect(_POLL_SECONDS)
            for loss in filter(None, (decoder.loss for decoder in self._decoders)):
                raise EnvironmentFault(f"a decoder process does not start: {loss.message}")

    def decode(
        self, requests: Iterable[Request], beat: Callable[[str], None] | None = None
    ) -> Generator[ClipFrames, None, None]:
        """The clips, in the order of the requests, at once: errors come when frames are read.

        Clips may be read one after the other, or as many at once as there are
        decoders; close one that is not read to its end. One call at a time.
        `beat` hears of every sign of life of the decoder whose frame is waited
        for, and what it does, so that its silence is the reader's.

        Raises:
            RuntimeError: more clips are open than can be read at once.
        """
        asked = deque[ClipFrames]()
        waiting = iter(requests)
        with self.reading(beat):
            while True:
                while self.wants_another and (request := next(waiting, None)) is not None:
                    asked.append(self.ask(request))
                if not asked:
                    return
                if self._num_unread - len(asked) >= len(self._decoders):
                    raise RuntimeError(
                        f"{len(self._decoders) + 1} clips are to be open; {len(self._decoders)} "
                        "decoders feed as many: read one to its end first, or close it"
                    )
                yield asked.popleft()

    @contextmanager
    def reading(self, beat: Callable[[str], None] | None = None) -> Iterator[None]:
        """In it clips are asked for and read; where it ends by an error, nobody reads on.

        `beat` as in `decode`.
        """
        self._beat = beat or _silent
        try:
            yield
        except BaseException:  # also when whoever asked has lost interest
            self._abandon()
            raise

    @property
    def wants_another(self) -> bool:
        """Whether another clip can be asked for, to be decoded ahead."""
        return self._num_unread <= len(self._decoders)

    def ask(self, request: Request) -> ClipFrames:
        """A clip whose frames are wanted; to be read in any order with the others asked for."""
        serial = next(self._serials)
        self._clips[serial] = ClipFrames(serial, request, self._wait, self._one_read)
        self._num_unread += 1
        self._requests.send((serial, request))
        return self._clips[serial]

    def wait_for_any(self, clips: Sequence[ClipFrames]) -> None:
        """Until one of them has a frame, its end or an error to tell, or its file is here by now.

        Raises:
            ProcessLost: there is no decoder that could take them.
        """
        unfetched = [clip for clip in clips if not clip.is_fetched]
        self._wait(
            clips[0],
            lambda: (
                any(clip.events for clip in clips) or any(clip.is_fetched for clip in unfetched)
            ),
        )

    def poll(self) -> bool:
        """Take the next message of each decoder that has one; whether there was any."""
        return self._collect(0)

    def close(self) -> None:
        """End the processes; frames that were taken stay."""
        self._is_closed = True
        self._requests.close()
        self._queue.close()
        self._selector.close()
        for decoder in self._decoders:
            decoder.end()

    def _one_read(self) -> None:
        self._num_unread -= 1

    def _abandon(self) -> None:
        """Nobody reads on."""
        if self._is_closed:
            return
        for serial, _ in self._queue.take_back():
            self._clips.pop(serial).close()
        for clip in self._clips.values():  # their decoders will tell when they have left them
            clip.close()
        self._beat = _silent

    def _wait(self, clip: ClipFrames, condition: Callable[[], object]) -> None:
        """Until the condition, of what the clip's decoder says, holds.

        Raises:
            ProcessLost: there is no decoder that could take it, or its own is silent for too long.
        """
        heard, since = -1, monotonic()
        self._collect(0)
        while not condition():
            if clip.decoder is None:
                self._require_takers()
            if (beats := self._relay(clip, heard)) != heard:
                heard, since = beats, monotonic()
            elif monotonic() - since > self._silence_seconds:
                raise ProcessLost(self._silence(clip))
            self._collect(_POLL_SECONDS)

    def _silence(self, clip: ClipFrames) -> Loss:
        loss = Loss(Cause.TIMEOUT, f"no sign of life for {self._silence_seconds:.0f} s")
        return loss if clip.decoder is None else during(loss, clip.decoder.pulse.activity)

    def _relay(self, clip: ClipFrames, heard: int) -> int:
        """Pass a sign of life on, unless it was `heard`; which one it is."""
        sources = self._decoders if clip.decoder is None else [clip.decoder]
        if (beats := sum(decoder.pulse.beats for decoder in sources)) != heard:
            self._beat(clip.decoder.pulse.activity if clip.decoder else "waiting for a decoder")
        return beats

    def _require_takers(self) -> None:
        """Raises:
        ProcessLost: all decoders are gone, or one that told of no clip: it may have been this one.
        """
        lost = [decoder for decoder in self._decoders if decoder.loss is not None]
        if len(lost) < len(self._decoders):
            lost = [decoder for decoder in lost if decoder.was_idle]
        for loss in filter(None, (decoder.loss for decoder in lost)):
            raise ProcessLost(loss)

    def _collect(self, seconds: float) -> bool:
        """Take a message of every decoder that has one, waiting so long for the first; whether
        there was any."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            decoder: DecoderProcess = key.data
            received = decoder.receive()
            if received is None:
                self._selector.unregister(decoder)
            else:
                self._note(decoder, *received)
        return bool(ready)

    def _note(self, decoder: DecoderProcess, serial: int, said: Answer | RingReader) -> None:
        match said:
            case Ready():
                self._num_ready += 1
            case Taken():
                self._clips[serial].decoder = decoder
            case Fetched(identity=identity):
                self._clips[serial].identity = identity
            case FramesReady(frames=frames):
                self._clips[serial].put(*frames)
            case RingReader():
                self._clips[serial].use(said)
            case Ended() | Refused() | Broken():
                self._clips.pop(serial).put(said)
            case Dropped():
                self._clips.pop(serial).put(_LEFT)  # one that is closed does not hear of it


def _silent(activity: str) -> None:
    """Hears and does nothing."""
