"""From videos to answers of the models that see pictures: small, and real all the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from chain import run_materialize

from posemill.errors import InputError
from posemill.models.create import create_model
from posemill.pipelines.data import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.evaluations import attention_path, predictions_path
from posemill.pipelines.train import train
from posemill.pipelines.training.config import TrainConfig


@dataclass(frozen=True)
class Case:
    """A model, the settings by which it is small, and those of its recipe."""

    model: str
    model_settings: dict[str, str]
    recipe: str
    recipe_settings: tuple[str, ...]
    cache_settings: tuple[str, ...] = ()
    """What a cache keeps, which is no matter to tests."""
    test_settings: tuple[str, ...] | None = None
    """None: it is tested on the cache."""
    num_views: int = 1
    attention: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of a view's weights."""


RGBPOSE = ("length_rgb=2", "length=4", "size=40", "crop=36")
CANDIDATES = ("candidates=2", "candidates_rgb=2")
CASES = (
    Case(
        "rgbpose",
        {"rgb_base": "4", "pose_base": "4", "rgb_blocks": "1,1,1,1", "pose_blocks": "1,1,1"},
        "rgbpose", RGBPOSE, CANDIDATES, ("views=3",), 3,
    ),
    Case("rgb", {"width": "0.05"}, "rgbpose", RGBPOSE, CANDIDATES, ("views=3",), 3),
    Case(
        "vpn", {"width": "0.04", "skeleton": "coco-17"}, "vpn-crops",
        ("pictures=9", "size=33", "length=8"), ("windows=2", "candidates=2"),
        attention={"space_time": (2, 2, 2), "space": (2, 2), "time": (2,), "joints": (17, 8)},
    ),
    Case(
        "parnet", {"width": "0.05", "hidden": "8"}, "parnet-frames",
        ("length=3", "short_side=48", "crop=40"), ("canvas_hw=48,64", "candidates=2"), (),
        attention={"persons": (3, 4), "places": (3, 3, 3)},
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def features(
    poses: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, tuple[str, ...]], Path]:
    """Stores of the eight fixture videos, each made once."""
    root = tmp_path_factory.mktemp("pictures")

    def made(recipe: str, settings: tuple[str, ...]) -> Path:
        out = root / ",".join((recipe, *settings))
        if not out.exists():
            summary = run_materialize(poses, out, recipe, *settings)
            assert summary.num_valid == 8
        return out

    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_videos_become_answers(
    features: Callable[[str, tuple[str, ...]], Path], tmp_path: Path, case: Case
) -> None:
    store = features(case.recipe, ("draw=cache", *case.recipe_settings, *case.cache_settings))
    tested = store
    if case.test_settings is not None:
        tested = features(case.recipe, (*case.recipe_settings, *case.test_settings))
    config = TrainConfig(
        model=create_model(case.model, case.model_settings),
        epochs=1,
        batch_size=3,
        augmentation=Augmentation(flip=0.0),
    )
    result = train(store, tmp_path / "run", config)
    assert (result.num_clips, result.num_epochs) == (6, 1)
    kept = bool(case.attention)
    found = evaluate(tmp_path / "run", tested, EvaluateConfig(attention=kept)).predictions
    assert (len(found), found.num_views) == (2, case.num_views)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    path = attention_path(tmp_path / "run", "test")
    assert path.exists() == kept
    if kept:
        weights = dict(np.load(path))
        assert tuple(weights.pop("clip_id")) == found.clip_ids
        shapes = {name: each.shape for name, each in weights.items()}
        assert shapes == {n: (2, case.num_views, *shape) for n, shape in case.attention.items()}
        assert all(np.isfinite(each).all() for each in weights.values())


def test_what_does_not_fit_is_told_before_the_first_step(
    features: Callable[[str, tuple[str, ...]], Path], poses: Path, tmp_path: Path
) -> None:
    small = create_model("rgbpose", CASES[0].model_settings)
    config = TrainConfig(model=small, epochs=1, augmentation=Augmentation(flip=0.0))
    with pytest.raises(InputError, match="reads the videos' frames; materialize it first"):
        train(poses, tmp_path / "run", config)
    tests = features("rgbpose", (*RGBPOSE, "views=3"))
    with pytest.raises(InputError, match="materialize the training clips with --set draw=cache"):
        train(tests, tmp_path / "run", config)
    cache = features("rgbpose", ("draw=cache", *RGBPOSE, *CANDIDATES))
    without = TrainConfig(model=create_model("parnet"), augmentation=Augmentation(flip=0.0))
    with pytest.raises(InputError, match="parnet reads parnet-frames or parnet"):
        train(cache, tmp_path / "run", without)
    assert not (tmp_path / "run").exists()
    train(cache, tmp_path / "run", config)
    with pytest.raises(InputError, match="no weights by which it looks"):
        evaluate(tmp_path / "run", tests, EvaluateConfig(attention=True))
    assert not predictions_path(tmp_path / "run", "test").exists()
