"""Extraction with people where the catalog has them, by a small ViTPose with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chain import extract_config, ignore, index
from tiny_vitpose import POSE_SIZE_WH, save_detector, save_pose
from video_makers import Film, shoot

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.extract import ExtractConfig, extract, plan_extract
from posemill.schema import Clip, TimedBox
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.poses import PoseStore

FILM = Film(frames=15, fps=5)  # 64 x 48, 3 s
WALKS = (TimedBox(0.0, 0.0, 0.25, 0.5, 0.75), TimedBox(1.0, 0.5, 0.25, 1.0, 0.75))
STANDS = (TimedBox(2.0, 0.25, 0.5, 0.5, 1.0),)


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> ExtractConfig:
    """What extracts two videos, of which one has boxes, to a store that is not there yet."""
    folder = tmp_path_factory.mktemp("boxed")
    save_pose(folder / "weights" / "pose")
    (folder / "videos").mkdir()
    for name in ("seen", "unseen"):
        shoot(folder / "videos" / f"{name}.mp4", FILM)
    path = index(folder / "videos", folder / "catalog")
    found = read_catalog(path)
    clips = (Clip("a", "seen", boxes=WALKS), Clip("b", "seen", boxes=STANDS), Clip("c", "unseen"))
    write_catalog(path, replace(found, clips=clips), overwrite=True)
    options = EstimatorOptions(weights=folder / "weights", reproducible=True, boxes_given=True)
    config = extract_config(path, folder / "poses.zarr", workers=1, videos_per_shard=None)
    return replace(config, estimator="vitpose", options=options)


@pytest.fixture(scope="module")
def poses(boxed: ExtractConfig) -> PoseStore:
    extract(boxed, ignore)
    return PoseStore.open(boxed.out)


def test_people_are_where_and_when_the_catalog_has_them(poses: PoseStore):
    entries = poses.entries()
    assert {name: str(entry.status) for name, entry in entries.items()} == {
        "seen": "ok",
        "unseen": "empty",
    }
    seen = poses.read("seen")
    # Frames are 0.2 s apart. Somebody walks to 1 s and is held to 1.5 s: frames 0 to 7; another
    # one stands around 2 s, from 1.5 to 2.5 s: frames 8 to 12; nobody is in 13 and 14.
    assert seen.frame.tolist() == list(range(13))
    assert seen.num_frames == 15


def test_joints_lie_in_the_crop_of_their_moment(poses: PoseStore):
    seen = poses.read("seen")
    width, height = POSE_SIZE_WH
    for frame, xy in zip(seen.frame, seen.xy_px, strict=True):
        left = min(frame / 5, 1.0) * 0.5 if frame < 8 else 0.25
        centre = 64 * (left + 0.25) - 0.5 if frame < 8 else 64 * 0.375 - 0.5
        # 32 x 24 px, or 16 x 24: both give a crop of 3 to 4, by 1.25; a cell is 1/11 of it.
        crop_width = 1.25 * (32 if frame < 8 else 24 * width / height)
        assert np.abs(xy[:, 0] - centre).max() <= crop_width * (0.5 + 1 / 11) + 0.01


def test_boxes_enter_the_stores_configuration(boxed: ExtractConfig, poses: PoseStore):
    assert poses.configuration["boxes"] == "catalog"
    assert not plan_extract(boxed).plan.pending
    assert boxed.options.weights is not None
    save_detector(boxed.options.weights / "detector")
    detecting = replace(boxed, options=replace(boxed.options, boxes_given=False))
    with pytest.raises(ConfigurationMismatch, match="boxes"):
        plan_extract(detecting)


def test_an_estimator_that_takes_no_boxes_is_refused(boxed: ExtractConfig, tmp_path: Path):
    config = replace(
        boxed,
        estimator="figure",
        options=EstimatorOptions(boxes_given=True),
        out=tmp_path / "poses.zarr",
    )
    for run in (plan_extract, lambda config: extract(config, ignore)):
        with pytest.raises(InputError, match="figure finds people by itself"):
            run(config)
    assert not (tmp_path / "poses.zarr").exists()


def test_a_catalog_without_boxes_is_refused(boxed: ExtractConfig, tmp_path: Path):
    found = read_catalog(boxed.catalog)
    write_catalog(tmp_path / "catalog", replace(found, clips=(Clip("c", "unseen"),)))
    config = replace(boxed, catalog=tmp_path / "catalog", out=tmp_path / "poses.zarr")
    for run in (plan_extract, lambda config: extract(config, ignore)):
        with pytest.raises(InputError, match="has boxes of people"):
            run(config)
    assert not (tmp_path / "poses.zarr").exists()
