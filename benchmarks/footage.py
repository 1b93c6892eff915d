"""Moving pictures for decoding benchmarks, encoded as a case needs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

REAL = Path(__file__).resolve().parents[1].parent / "shared" / "videos" / "real"
_MAX_FRAMES = 72
_FPS = 28

UInt8 = npt.NDArray[np.uint8]


def footage() -> list[UInt8]:
    """RGB frames of 1920 x 1080: real ones where they are there, else drifting ones."""
    path = REAL / "two_people_1080p.mp4"
    if not path.is_file():
        return [_drifting(number) for number in range(_MAX_FRAMES)]
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [np.asarray(frame, np.uint8) for frame in frames[:_MAX_FRAMES]]


def encode(path: Path, frames: Sequence[UInt8], height: int, codec: str, pixel_format: str) -> None:
    """Write the frames in this height, 16:9."""
    width = round(height * 16 / 9 / 2) * 2
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=_FPS))
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.options = {"deadline": "realtime", "cpu-used": "8"} if "vp9" in codec else {}
        for rgb in frames:
            area = cv2.INTER_AREA
            small = np.asarray(cv2.resize(rgb, (width, height), interpolation=area), np.uint8)
            frame = av.VideoFrame.from_ndarray(small, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode())


def _drifting(number: int) -> UInt8:
    """Smooth clouds that move, with grain: about as hard to code as footage."""
    rng = np.random.default_rng(0)
    clouds = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    large = cv2.resize(clouds, (2100, 1200), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(number).integers(0, 12, (1080, 1920, 1), dtype=np.uint8)
    part = large[number : number + 1080, 2 * number : 2 * number + 1920]
    return np.asarray(np.clip(part.astype(np.int16) + grain, 0, 255), np.uint8)
