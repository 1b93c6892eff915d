"""Frames that come from decoder processes, against those of `open_video`; and what befalls them."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from processes import is_alive, wait_until
from video_makers import Film, shoot

from posemill.errors import EnvironmentFault, InputError, UnreadableVideo
from posemill.pipelines.decode import Ahead, ClipFrames, DecoderPool, Request
from posemill.pipelines.decode.messages import Dropped
from posemill.pipelines.supervise.losses import ProcessLost
from posemill.pipelines.supervise.messages import Cause
from posemill.storage.files.cache import FileCache
from posemill.storage.files.location import Location
from posemill.storage.identity import file_identity
from posemill.storage.video import Frame, FrameOptions, open_video

CACHE = FileCache(Path("/nothing/is/fetched"))
SIZES = ((64, 48), (320, 240), (66, 50), (48, 64), (320, 180))
"""Of the films: larger, smaller, and about as large as the one before."""
NUM_FRAMES = 24


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    return [
        shoot(
            folder / f"{number}.mp4",
            Film(NUM_FRAMES + number, width, height, first_number=10 * number),
        ).path
        for number, (width, height) in enumerate(SIZES)
    ]


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One for the tests that harm no process."""
    with DecoderPool(2, Ahead(num_frames=3)) as pool:
        yield pool


def request(path: Path, options: FrameOptions | None = None) -> Request:
    return Request(path.name, Location(str(path)), CACHE, options=options or FrameOptions())


def requests(paths: Sequence[Path]) -> list[Request]:
    return [request(path) for path in paths]


def read(path: Path, options: FrameOptions | None = None) -> list[Frame]:
    with open_video(path, **(options or FrameOptions()).as_dict()) as reader:
        return list(reader)


def assert_equal(ours: Sequence[Frame], theirs: Sequence[Frame]) -> None:
    assert [(f.index, f.pts_seconds) for f in ours] == [(f.index, f.pts_seconds) for f in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine.rgb, other.rgb)


def wait_until_ahead(pool: DecoderPool, frame: int) -> None:
    """Until the first decoder waits for its reader with so many frames."""
    activity = f"waiting for its reader at frame {frame}"
    wait_until(lambda: pool.decoders[0].pulse.activity == activity)


@pytest.mark.parametrize(
    ("num_decoders", "ahead"),
    [
        (1, Ahead()),
        (1, Ahead(num_frames=2)),
        (2, Ahead(num_bytes=1)),
        (2, Ahead(num_frames=7)),
        (3, Ahead(num_bytes=10**6)),
    ],
)
def test_frames_are_those_of_the_reader_in_order(
    films: list[Path], num_decoders: int, ahead: Ahead
) -> None:
    with DecoderPool(num_decoders, ahead) as pool:
        for clip, path in zip(pool.decode(requests(films)), films, strict=True):
            assert clip.request.item_id == path.name
            assert_equal(list(clip), read(path))  # kept, all of them
            assert clip.ended.identity == file_identity(path)
            assert clip.ended.facts.frames_decoded == len(read(path))


def test_frames_arrive_as_they_are_asked_for(films: list[Path], pool: DecoderPool) -> None:
    options = FrameOptions(long_edge=32, frame_step=3)
    asked = [
        Request("all", Location(str(films[1])), CACHE, options=options),
        Request("span", Location(str(films[1])), CACHE, start_seconds=0.5, end_seconds=1.5),
    ]
    small, span = (list(clip) for clip in pool.decode(asked))
    assert_equal(small, read(films[1], options))
    assert {frame.rgb.shape for frame in small} == {(24, 32, 3)}
    with open_video(films[1], start_seconds=0.5, end_seconds=1.5) as reader:
        assert_equal(span, list(reader))


def test_as_many_clips_can_be_read_at_once_as_there_are_decoders(
    films: list[Path], pool: DecoderPool
) -> None:
    clips = pool.decode(requests(films))
    readers = {clip.request.item_id: clip for clip in islice(clips, 2)}
    got: dict[str, list[Frame]] = {path.name: [] for path in films}
    while readers:
        for name, clip in list(readers.items()):
            if (frame := next(clip, None)) is not None:
                got[name].append(frame)
                continue
            del readers[name]
            for follower in islice(clips, 1):
                readers[follower.request.item_id] = follower
    for path in films:
        assert_equal(got[path.name], read(path))


def test_more_clips_than_decoders_cannot_be_open(films: list[Path], pool: DecoderPool) -> None:
    clips = pool.decode(requests(films))
    _first, _second = next(clips), next(clips)
    with pytest.raises(RuntimeError, match="2 decoders feed as many"):
        next(clips)


def test_a_decoder_is_never_more_than_its_slots_ahead(films: list[Path]) -> None:
    with DecoderPool(1, Ahead(num_frames=4)) as pool:
        clip = next(clips := pool.decode(requests(films[:1])))
        wait_until_ahead(pool, 4)  # 0 to 3 lie in the slots
        first, second, third = next(clip), next(clip), next(clip)
        wait_until_ahead(pool, 5)  # two are lent, the third is a copy: one slot was given back
        del third
        assert (first.index, second.index) == (0, 1)
        del first
        wait_until_ahead(pool, 6)
        del second
        assert next(clip).index == 3  # and its slot is free again
        wait_until_ahead(pool, 8)
        clips.close()


def test_the_next_clip_is_decoded_while_one_is_read(films: list[Path]) -> None:
    with DecoderPool(2, Ahead(num_frames=4)) as pool:
        clip = next(clips := pool.decode(requests(films[:2])))
        full = "waiting for its reader at frame 4"
        wait_until(lambda: {each.pulse.activity for each in pool.decoders} == {full})
        assert next(clip).index == 0
        clips.close()


def test_a_video_that_is_unreadable_or_missing_harms_no_neighbour(
    films: list[Path], pool: DecoderPool, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no video\n")
    through_a_file = text / "below.mp4"
    unspeakable = tmp_path / f"{'x' * 300}.mp4"  # no file system takes such a name
    paths = [films[0], text, tmp_path / "gone.mp4", through_a_file, unspeakable, films[1]]
    found: dict[str, object] = {}
    messages: list[str] = []
    for clip in pool.decode(requests(paths)):
        try:
            found[clip.request.item_id] = len(list(clip))
        except (UnreadableVideo, FileNotFoundError, EnvironmentFault) as error:
            found[clip.request.item_id] = type(error)
            messages.append(str(error))
        assert list(clip) == []
    assert found == {
        "0.mp4": NUM_FRAMES,
        "text.mp4": UnreadableVideo,
        "gone.mp4": FileNotFoundError,
        "below.mp4": FileNotFoundError,
        unspeakable.name: EnvironmentFault,
        "1.mp4": NUM_FRAMES + 1,
    }
    for message, path in zip(messages, paths[1:5], strict=True):
        assert str(path) in message


def test_readers_may_leave_at_any_moment(films: list[Path], pool: DecoderPool) -> None:
    for clip in pool.decode(requests(films)):
        with clip:
            assert next(clip).index == 0
        assert list(clip) == []
    for _ in pool.decode(requests(films)):
        break
    (clip,) = pool.decode(requests(films[3:4]))
    assert_equal(list(clip), read(films[3]))


def test_a_clip_may_be_closed_after_its_last_frame_when_the_next_has_its_memory(
    films: list[Path],
) -> None:
    with DecoderPool(1, Ahead(num_frames=2)) as pool:
        clips = pool.decode([request(films[0])] * 2)
        first = next(clips)
        deque(islice(first, NUM_FRAMES), maxlen=0)  # all frames; its end is not asked for
        wait_until_ahead(pool, 2)
        first.close()
        assert_equal(list(next(clips)), read(films[0]))


def test_a_decoder_that_leaves_an_open_clip_is_told_to_its_reader(films: list[Path]) -> None:
    with DecoderPool(1, Ahead(num_frames=4)) as pool:
        clip = next(clips := pool.decode(requests(films[:1])))
        assert next(clip).index == 0
        pool._note(pool.decoders[0], 0, Dropped())
        with pytest.raises(ProcessLost, match="left a clip whose reader had not closed it"):
            list(clip)
        assert list(clips) == []


def test_facts_are_known_at_the_end(films: list[Path], pool: DecoderPool) -> None:
    for clip in pool.decode(requests(films[:1])):
        next(clip)
        with pytest.raises(ValueError, match=r"facts of '0.mp4' are known after its last frame"):
            _ = clip.ended
        list(clip)
        with open_video(films[0]) as reader:
            list(reader)
            assert clip.ended.facts == reader.facts()


def test_nothing_asked_for_is_nothing_to_read(pool: DecoderPool) -> None:
    assert list(pool.decode([])) == []


def test_signs_of_life_are_passed_on_while_a_frame_is_waited_for(films: list[Path]) -> None:
    heard: list[str] = []

    def hear(activity: str) -> None:
        heard.append(activity)
        os.kill(pool.decoders[0].pid, signal.SIGCONT)

    with DecoderPool(1, Ahead(num_frames=4)) as pool:
        clip = next(clips := pool.decode(requests(films[:1]), hear))
        wait_until_ahead(pool, 4)
        os.kill(pool.decoders[0].pid, signal.SIGSTOP)
        frames = [next(clip)]
        heard.clear()
        frames += [next(clip), next(clip), next(clip)]
        assert heard == []
        frames.extend(clip)
        assert heard[0] == "waiting for its reader at frame 4"
        assert_equal(frames, read(films[0]))
        assert list(clips) == []


@pytest.mark.parametrize(
    ("number", "cause"), [(signal.SIGSEGV, Cause.CRASHED), (signal.SIGKILL, Cause.KILLED)]
)
def test_a_lost_decoder_is_told_to_the_reader_of_its_clip(
    films: list[Path], number: signal.Signals, cause: Cause
) -> None:
    with DecoderPool(1, Ahead(num_frames=4)) as pool:
        clips = pool.decode(requests(films))
        first = next(clips)
        wait_until_ahead(pool, 4)
        os.kill(pool.decoders[0].pid, number)
        frames = list[Frame]()
        with pytest.raises(ProcessLost) as lost:
            frames.extend(first)
        assert lost.value.loss.cause is cause
        expected = f"killed by {number.name} while waiting for its reader at frame 4"
        assert lost.value.loss.message == expected
        second = next(clips)
        with pytest.raises(ProcessLost, match=number.name):  # there is no decoder left
            next(second)


def test_a_decoder_that_is_silent_for_too_long_is_lost(films: list[Path]) -> None:
    with DecoderPool(1, Ahead(num_frames=4), silence_seconds=0.3) as pool:
        clips = pool.decode(requests(films[:1]))
        clip = next(clips)
        wait_until_ahead(pool, 4)
        os.kill(pool.decoders[0].pid, signal.SIGSTOP)
        with pytest.raises(ProcessLost) as lost:
            list(clip)
        assert lost.value.loss.cause is Cause.TIMEOUT
        expected = "no sign of life for 0 s while waiting for its reader at frame 4"
        assert lost.value.loss.message == expected


def test_which_file_it_is_is_known_before_its_frames(
    films: list[Path], pool: DecoderPool, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    for path in (films[0], tmp_path / "text.mp4"):
        with pool.reading(), pool.ask(request(path)) as clip:
            assert clip.identity == ""
            clip.fetch()
            assert clip.identity == file_identity(path)


def test_clips_of_other_decoders_are_read_to_their_end(films: list[Path]) -> None:
    with DecoderPool(2, Ahead(num_frames=4)) as pool:
        clips = pool.decode(requests(films))
        first, second = next(clips), next(clips)
        full = "waiting for its reader at frame 4"
        wait_until(lambda: {each.pulse.activity for each in pool.decoders} == {full})
        next(second)
        os.kill(holder(pool, second), signal.SIGSEGV)
        assert_equal(list(first), read(films[0]))
        with pytest.raises(ProcessLost, match="SIGSEGV"):
            list(second)
        for clip, path in zip(clips, films[2:], strict=True):
            assert_equal(list(clip), read(path))


def holder(pool: DecoderPool, clip: ClipFrames) -> int:
    assert clip.decoder in pool.decoders
    return clip.decoder.pid


def test_an_idle_decoder_that_is_lost_is_told_to_who_waits_for_one(films: list[Path]) -> None:
    with DecoderPool(2) as pool:
        pool.ready()
        for decoder in pool.decoders:
            os.kill(decoder.pid, signal.SIGKILL)
        (clip,) = pool.decode(requests(films[:1]))
        with pytest.raises(ProcessLost, match="killed by SIGKILL"):
            list(clip)


def test_an_exception_that_is_nobodys_by_name_ends_its_decoder(films: list[Path]) -> None:
    soon: float = "soon"  # type: ignore[assignment]
    wrong = Request("wrong", Location(str(films[0])), CACHE, start_seconds=soon)
    with DecoderPool(2) as pool:
        clips = pool.decode([request(films[0]), wrong, request(films[1])])
        assert_equal(list(next(clips)), read(films[0]))
        with pytest.raises(ProcessLost, match="TypeError") as lost:
            list(next(clips))
        assert lost.value.loss.cause is Cause.FAILED
        assert_equal(list(next(clips)), read(films[1]))


def test_a_process_that_does_not_start_is_the_environments_fault() -> None:
    with DecoderPool(1) as pool:
        os.kill(pool.decoders[0].pid, signal.SIGKILL)
        with pytest.raises(EnvironmentFault, match="does not start: killed by SIGKILL"):
            pool.ready()


def test_a_closed_pool_leaves_no_process_and_frames_stay(films: list[Path]) -> None:
    with DecoderPool(2) as pool:
        clips = pool.decode(requests(films))
        clip = next(clips)
        frame = next(clip)
        pids = [decoder.pid for decoder in pool.decoders]
    assert not any(map(is_alive, pids))
    np.testing.assert_array_equal(frame.rgb, read(films[0])[0].rgb)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="at least 1 decoder, got 0"):
        DecoderPool(0)
    with pytest.raises(InputError, match="at least 1 byte and 2 frames, got 1 bytes and 1 frames"):
        Ahead(num_bytes=1, num_frames=1)
