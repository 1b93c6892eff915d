"""Videos that are gone, changed or deadly: their clips are told by name, all others are made."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import ignore, markers
from poison import plant
from posed_videos import Posed, Rendering, WholeFrames, posed, stored
from video_makers import Film, shoot

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.data import open_source
from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.events import Event, ItemDone
from posemill.pipelines.materialize import plan_materialize
from posemill.pipelines.pictures import PictureSettings
from posemill.pipelines.pictures.frame_reader import FrameReader
from posemill.pipelines.status import status
from posemill.pipelines.supervise.losses import ProcessLost
from posemill.pipelines.supervise.messages import Cause, Loss
from posemill.schema import UInt8
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.identity import ABSENT
from posemill.storage.poses import PoseStore
from posemill.storage.video import FrameOptions

FILM = Film(frames=12, fps=12)
FILMS = {"a": FILM, "b": replace(FILM, first_number=100)}


def test_a_missing_video_is_told_and_made_when_it_is_back(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS)
    made.video("a").rename(tmp_path / "away.mp4")
    events: list[Event] = []
    summary = whole.run(made, events.append)
    message = f"missing video: {made.video('a')}"
    assert (summary.num_valid, dict(summary.unmade)) == (1, {"a": message})
    assert summary.as_dict()["not_made"] == {"a": message}
    done = {event.item_id: event for event in events if isinstance(event, ItemDone)}
    assert (done["a"].status, done["a"].message, done["a"].num_frames) == ("missing", message, 12)
    assert done["b"].status == "ok"
    assert list(stored(made)) == ["b"]
    assert status(made.out)["reasons"] == {"missing video": 1}

    before = markers(made.out)
    assert whole.run(made).unmade == {"a": message}  # as long as it is not there: nothing to do
    assert markers(made.out) == before

    (tmp_path / "away.mp4").rename(made.video("a"))
    kept = stored(made)["b"]
    summary = whole.run(made)
    assert (summary.num_valid, summary.num_rendered, dict(summary.unmade)) == (2, 2, {})
    np.testing.assert_array_equal(stored(made)["b"][0], kept[0])
    assert list(markers(made.out)) == ["s000000.g000.json", "s000000.g001.json"]
    before = markers(made.out)
    assert whole.run(made).num_rendered == 0
    assert markers(made.out) == before


def other_film(made: Posed) -> None:
    shoot(made.video("a"), replace(FILM, first_number=50))


def truncated(made: Posed) -> None:
    data = made.video("a").read_bytes()
    made.video("a").write_bytes(data[: len(data) * 3 // 4])


def no_video(made: Posed) -> None:
    made.video("a").write_text("gone with the wind")


@pytest.mark.parametrize("change", [other_film, truncated, no_video])
def test_a_changed_video_is_told_and_made_when_the_old_one_is_back(
    tmp_path: Path, whole: Rendering, change: Callable[[Posed], None]
) -> None:
    made = posed(tmp_path, FILMS)
    old = made.video("a").read_bytes()
    change(made)
    summary = whole.run(made)
    (message,) = summary.unmade.values()
    assert message.startswith(f"video changed: {made.video('a')}: {len(old):,} bytes of ")
    assert f", now {made.video('a').stat().st_size:,} bytes of " in message
    assert (summary.num_valid, list(summary.unmade)) == (1, ["a"])
    assert whole.num_pending(made) == 0
    made.video("a").write_bytes(old)  # of another time, which says nothing
    assert whole.num_pending(made) == 1
    assert whole.run(made).num_valid == 2


def test_another_file_that_passes_for_the_same_is_found_by_its_times(
    tmp_path: Path, whole: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "posemill.pipelines.pictures.posed_video.is_same_file", lambda *_, **__: True
    )
    made = posed(tmp_path, FILMS)
    shoot(made.video("a"), replace(FILM, fps=11))
    summary = whole.run(made)
    (message,) = summary.unmade.values()
    assert message.startswith(f"frames no longer match: {made.video('a')}: there is none at ")


def test_while_the_folder_of_the_videos_is_gone_no_video_is_at_fault(
    tmp_path: Path, whole: Rendering
) -> None:
    made = posed(tmp_path, FILMS)
    made.root.rename(tmp_path / "unmounted")
    with pytest.raises(EnvironmentFault, match="videos is not there or empty; mount it"):
        whole.run(made)
    (tmp_path / "unmounted").rename(made.root)

    def unmount(event: Event) -> None:
        if isinstance(event, ItemDone):
            made.root.rename(tmp_path / "unmounted")

    with pytest.raises(EnvironmentFault, match="videos is not there or empty; mount it"):
        whole.run(made, unmount)
    assert not markers(made.out)


def test_too_many_unusable_videos_stop_the_job(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS)
    other_film(made)
    with pytest.raises(EnvironmentFault) as caught:
        whole.run(made, max_quarantined=0)
    told = str(caught.value)
    assert told.startswith("1 of 1 clips tried are quarantined, more than 0%")
    assert "Mend the cause and run the same command again; or allow more" in told


def test_imported_poses_go_by_the_number_of_frames(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS, None)
    assert whole.run(made).num_valid == 2
    more = posed(tmp_path / "more", FILMS, None, extra_frames=2)
    summary = whole.run(more)
    assert dict(summary.unmade) == {
        name: f"frames no longer match: {more.video(name)}: 14 poses, 12 frames" for name in "ab"
    }
    assert whole.num_pending(more) == 0
    shoot(more.video("b"), replace(FILM, frames=14))
    assert dict(whole.run(more).unmade).keys() == {"a"}


def test_imported_poses_need_a_catalog_of_videos(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS, None)
    catalog = read_catalog(made.catalog)
    absent = [replace(video, identity=ABSENT) for video in catalog.videos]
    write_catalog(made.catalog, replace(catalog, videos=absent), overwrite=True)
    with pytest.raises(InputError, match="was indexed where no video was; index the dataset with"):
        whole.run(made)


@pytest.mark.parametrize(
    ("options", "unmade"),
    [
        (FrameOptions(), {}),  # its poses tell where it was
        (None, {"a": "missing video: the catalog has no video 'a'"}),
    ],
)
def test_a_video_that_the_catalog_lacks_by_now(
    tmp_path: Path, whole: Rendering, options: FrameOptions | None, unmade: dict[str, str]
) -> None:
    made = posed(tmp_path, FILMS, options)
    for name in "ab":
        made.video(name).rename(tmp_path / name)
    (made.root / "another").touch()
    assert list(whole.run(made).unmade) == ["a", "b"]
    for name in "ab":
        (tmp_path / name).rename(made.video(name))
    catalog = read_catalog(made.catalog)
    fewer = replace(catalog, videos=catalog.videos[1:], clips=catalog.clips[1:])
    write_catalog(made.catalog, fewer, overwrite=True)
    assert whole.run(made).unmade == unmade


def test_rendering_on_the_fly_is_refused(tmp_path: Path) -> None:
    made = posed(tmp_path, FILMS)
    with pytest.raises(InputError) as caught:
        open_source(made.poses, recipe="rgb-clip", settings={}, catalog=made.catalog)
    assert str(caught.value) == (
        "recipe rgb-clip reads the videos' frames; materialize it first, and train on those "
        "features"
    )


def test_the_plan_tells_how_many_files_are_not_there(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS)
    made.video("a").unlink()
    plan = plan_materialize(whole.config(made))
    assert (plan.num_clips_to_do, plan.num_absent_videos) == (2, 1)
    assert plan.as_dict()["videos_missing"] == 1


def test_a_decoder_that_is_killed_is_started_again(
    tmp_path: Path, alone: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = posed(tmp_path, FILMS)
    killed: list[int] = []
    real = FrameReader._try

    def kill_first(self: FrameReader, *arguments: Any) -> UInt8:
        if not killed:
            killed.append(self._pool.decoders[0].pid)
            os.kill(killed[0], signal.SIGKILL)
        return real(self, *arguments)

    monkeypatch.setattr(FrameReader, "_try", kill_first)
    assert alone.run(made).num_valid == 2
    assert len(killed) == 1


def losing(monkeypatch: pytest.MonkeyPatch, *causes: Cause) -> None:
    """The first decoders are lost for these causes."""
    left, real = list(causes), FrameReader._try

    def lose(self: FrameReader, *arguments: Any) -> UInt8:
        if left:
            raise ProcessLost(Loss(cause := left.pop(0), f"{cause} at work"))
        return real(self, *arguments)

    monkeypatch.setattr(FrameReader, "_try", lose)
    monkeypatch.setattr(DecoderPool, "close", ignore)


def test_decoders_that_are_killed_over_and_over_are_nobodys_fault(
    tmp_path: Path, whole: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = posed(tmp_path, FILMS)
    with monkeypatch.context() as patch:
        losing(patch, Cause.KILLED, Cause.CRASHED, Cause.KILLED)
        with pytest.raises(EnvironmentFault, match="its decoder was lost 3 times: killed at work"):
            whole.run(made)
    assert not markers(made.out)
    with monkeypatch.context() as patch:
        losing(patch, Cause.KILLED, Cause.KILLED)
        assert whole.run(made).num_valid == 2


def test_two_losses_that_nobody_else_caused_are_the_videos_fault(
    tmp_path: Path, whole: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = posed(tmp_path, FILMS)
    with monkeypatch.context() as patch:
        losing(patch, Cause.MEMORY, Cause.KILLED, Cause.FAILED)
        assert whole.run(made).unmade == {"a": f"failed: {made.video('a')}: failed at work"}
    assert whole.num_pending(made) == 1  # another attempt may end otherwise


def test_deadly_videos_are_told_and_the_worker_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Rendering(monkeypatch, WholeFrames(count=FILM.frames))  # the fatal one, too
    made = posed(tmp_path, dict.fromkeys(("decoder_crash", "decoder_hang", "well"), FILM))
    monkeypatch.syspath_prepend(plant(tmp_path / "plugin"))
    summary = alone.run(made, pictures=PictureSettings(silence_seconds=1.5))
    crash, hang = made.video("decoder_crash"), made.video("decoder_hang")
    assert summary.num_valid == 1
    assert summary.unmade == {
        "decoder_crash": f"crashed: {crash}: killed by SIGSEGV while decoding frame 5",
        "decoder_hang": f"timeout: {hang}: no sign of life for 2 s while decoding frame 5",
    }


def test_a_picture_too_large_for_a_worker(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, {"a": FILM})
    few = PictureSettings(pass_bytes=1, clip_bytes=20_000)  # three of 9,216
    (message,) = whole.run(made, pictures=few).unmade.values()
    assert message.startswith(f"too large: {made.video('a')}: 3 pictures of 64x48 px are ")


def test_the_poses_of_a_store_are_not_touched(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, FILMS)
    before = markers(made.poses)
    other_film(made)
    whole.run(made)
    assert markers(made.poses) == before
    assert PoseStore.open(made.poses).entries()["a"].status == "ok"
    assert FeatureStore.open(made.out).committed()[0].unmade.keys() == {"a"}
