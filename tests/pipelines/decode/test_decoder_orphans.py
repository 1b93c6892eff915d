"""Nothing outlives the process that reads frames: no decoder, no memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from processes import MARK, marked, wait_until
from video_makers import Film, shoot

READER = """
import sys
import time
from pathlib import Path
from posemill.pipelines.decode import Ahead, DecoderPool, Request
from posemill.storage.files.cache import FileCache
from posemill.storage.files.location import Location
pool = DecoderPool(2, Ahead(num_frames=2))  # so that each decodes one of the clips
request = Request("a", Location(sys.argv[1]), FileCache(Path("/nothing/is/fetched")))
clips = pool.decode([request, request])
frames = [next(clip) for clip in clips]
Path(sys.argv[2]).touch()
time.sleep(600)
"""


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark of all processes of a test; whatever a failed test leaves is killed."""
    mark = uuid.uuid4().hex
    yield mark
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_reader_takes_decoders_and_memory_along(
    tmp_path: Path, mark: str, number: signal.Signals
) -> None:
    film = shoot(tmp_path / "film.mp4", Film()).path
    note = tmp_path / "note"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(film), str(note)], env={**os.environ, MARK: mark}
    )
    wait_until(note.exists)
    assert len(marked(mark)) == 3
    # Memory without a name goes with the last process; there is none in /dev/shm.
    assert mappers(mark, "/memfd:posemill-frames (deleted)") == set(marked(mark))
    assert mappers(mark, "/dev/shm/") == set()  # noqa: S108
    reader.send_signal(number)
    reader.wait()
    wait_until(lambda: not marked(mark))


def mappers(mark: str, name: str) -> set[int]:
    """Which of the processes map such a file."""
    found = set()
    for pid in marked(mark):
        with suppress(OSError):
            if name in Path(f"/proc/{pid}/maps").read_text():
                found.add(pid)
    return found
