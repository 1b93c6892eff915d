"""Sound for test videos."""

from __future__ import annotations

import av
import numpy as np
from av.container import OutputContainer

_RATE, _SAMPLES = 8000, 1024


def add_tone(container: OutputContainer, start_seconds: int, seconds: int = 2) -> None:
    """A stream of a tone that starts at `start_seconds`; the container has no other one then."""
    stream = container.add_stream("aac", rate=_RATE, layout="mono")
    tone = np.sin(np.arange(seconds * _RATE) / 3).astype(np.float32)
    for place in range(0, len(tone), _SAMPLES):
        samples = tone[place : place + _SAMPLES].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = _RATE, start_seconds * _RATE + place
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
