"""From poses to videos' answers: cut, features of a trained JMRN, a ranker, the clips it keeps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from waiting_clips import NUM_CLIPS, WaitingFolder, make_waiting_store

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.base import LOGITS, PoseNetwork
from posemill.models.create import create_model
from posemill.pipelines.data import Augmentation, Loader, dequantise
from posemill.pipelines.evaluate import EvaluateConfig
from posemill.pipelines.evaluations import read_answers, write_evaluation
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.select import features
from posemill.pipelines.select.apply import RECORD, SelectConfig, apply_ranker
from posemill.pipelines.select.features import clip_features
from posemill.pipelines.select.ranker import RankerSettings
from posemill.pipelines.select.train import TrainedRanker, train_ranker
from posemill.pipelines.train import train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings

JMRN = TrainConfig(
    model=create_model("jmrn", {"width": "4", "cdim": "4"}),
    recipe="jmrn",
    recipe_settings=("canvas_hw=16,16",),
    epochs=1,
    batch_size=8,
    augmentation=Augmentation(beta_px=1),
    optimizer=OptimizerSettings(learning_rate=1e-2),
)
SETTINGS = RankerSettings(hidden=16, dropout=0.0, epochs=25, batch_size=8, learning_rate=1e-2)
NUM_TEST = 12


@dataclass(frozen=True)
class Trained:
    """A run of JMRN on short clips, and a ranker on its features."""

    made: WaitingFolder
    run: Path
    ranker: Path
    result: TrainedRanker

    @property
    def train_clips(self) -> EvaluateConfig:
        return EvaluateConfig(subset="train", catalog=self.made.catalog)

    @property
    def test_clips(self) -> EvaluateConfig:
        return EvaluateConfig(subset="test", catalog=self.made.catalog)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("waiting")
    made = make_waiting_store(root, {"train": 16, "test": NUM_TEST})
    train(made.store, root / "run", JMRN, catalog=made.catalog)
    clips = EvaluateConfig(subset="train", catalog=made.catalog)
    result = train_ranker(
        root / "run", made.store, made.answers, root / "ranker", 1, clips, SETTINGS
    )
    return Trained(made, root / "run", root / "ranker", result)


def apply(trained: Trained, out: Path, config: SelectConfig | None = None, **changed):
    given = {"run": trained.run, "ranker_dir": trained.ranker, "answers": trained.made.answers}
    given |= {"store": trained.made.store, "clips": trained.test_clips} | changed
    return apply_ranker(out=out, config=config or SelectConfig(), **given)


def test_the_ranker_learns_which_clip_moves(trained: Trained) -> None:
    told = json.loads((trained.ranker / "ranker.json").read_text())
    assert told["keep"] == 1
    assert (told["videos"], told["videos_without_other_clips"]) == (16, 0)
    assert told["share_in_order"] == trained.result.share_in_order > 0.9
    assert told["features"]["model"] == "jmrn"
    assert told["answers"]["model"] == "made-up"
    assert told["run"] == str(trained.run)


def test_salient_clips_answer_what_all_of_them_do_not(trained: Trained, tmp_path: Path) -> None:
    comparison = apply(trained, tmp_path / "out")
    figures = {each.method: each.figure.mean for each in comparison.results}
    # The classifier takes three clips of four for the other class, each nearly as surely.
    assert (figures["dense"], figures["oracle"]) == (0.0, 1.0)
    assert figures["saliency"] > 0.8
    assert figures["random"] == pytest.approx(1 / NUM_CLIPS, abs=0.15)
    assert figures["saliency"] > max(figures["uniform"], figures["empirical"]) + 0.2
    clips = {each.method: each.num_clips for each in comparison.results}
    assert clips.pop("dense") == NUM_CLIPS
    assert set(clips.values()) == {1.0}
    written = read_answers(tmp_path / "out", "test")
    assert written.clip_ids == tuple(sorted(f"test/{n}" for n in range(NUM_TEST)))
    assert Evaluation(written).accuracy == figures["saliency"]
    assert written.made_with == {"selection": "saliency", "keep": "1", "consensus": "mean"}
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    kept = {video: [int(id_[-4:]) for id_ in each] for video, each in record["kept"].items()}
    right = [kept[video] == [trained.made.moving[video]] for video in kept]
    assert np.mean(right) == figures["saliency"]
    assert record["methods"]["saliency"]["figures"]["accuracy"]["mean"] == figures["saliency"]


def test_of_all_clips_every_method_is_dense(trained: Trained, tmp_path: Path) -> None:
    for config in (
        SelectConfig(keep=NUM_CLIPS, draws=1),
        SelectConfig(keep=99, draws=1, consensus="max"),
    ):
        comparison = apply(trained, tmp_path / "all", config)
        assert comparison.num_whole == NUM_TEST * (config.keep == 99)
        dense = comparison.results[0].evaluations[0].predictions
        for each in comparison.results:
            assert np.array_equal(each.evaluations[0].predictions.logits, dense.logits)
    apply(trained, tmp_path / "dense", SelectConfig(keep=1, method="dense"))
    means = read_answers(tmp_path / "dense", "test").logits
    np.testing.assert_array_equal(means, dense.logits)


def test_features_are_what_the_classifier_is_given(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their classifier's output is the logits; of several views they are means."""
    found = clip_features(trained.run, trained.made.store, replace(trained.test_clips, flip=True))
    assert found.values.shape == (NUM_TEST * NUM_CLIPS, 16)  # 2 features = 4 width
    seen = {}

    def keep(network, loader: Loader, specs, device, **_):
        with torch.inference_mode():
            batches = [dequantise(batch.arrays, specs, device) for batch in loader]
            p = torch.cat([batch["p"] for batch in batches])  # (N, V, J, C, H, W)
            network.eval()
            logits = network({"p": p.flatten(0, 1)})[LOGITS].unflatten(0, p.shape[:2])
        seen["means"], seen["layer"] = logits.mean(dim=1), network.classifier
        return SimpleNamespace(num_views=p.shape[1])

    monkeypatch.setattr(features, "score_clips", keep)
    again = clip_features(trained.run, trained.made.store, replace(trained.test_clips, flip=True))
    np.testing.assert_allclose(again.values, found.values, atol=1e-5)
    with torch.inference_mode():
        logits = seen["layer"](torch.from_numpy(found.values))
    np.testing.assert_allclose(logits, seen["means"], atol=1e-5)


class TwoHeads(PoseNetwork):
    """Its classifier is two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.ModuleDict({name: nn.Linear(3, 2) for name in ("one", "other")})

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        seen = values["p"].mean(dim=(1, 3, 4))  # (B, C)
        return {LOGITS: self.classifier["one"](seen) + self.classifier["other"](seen)}


def test_a_network_of_several_classifiers_has_no_features(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "load_network", lambda *_: TwoHeads())
    with pytest.raises(InputError, match=r"run: its network has no features: .* a run of jmrn"):
        clip_features(trained.run, trained.made.store, trained.test_clips)


def test_what_does_not_fit_is_refused(trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="holds answers for clips, or a run"):
        apply(trained, trained.made.answers)
    with pytest.raises(InputError, match="holds answers for clips, or a run"):
        apply(trained, trained.run)
    with pytest.raises(InputError, match="holds a run; choose another -o for the ranker"):
        train_ranker(
            trained.run,
            trained.made.store,
            trained.made.answers,
            trained.run,
            1,
            trained.train_clips,
            SETTINGS,
        )
    flipped = replace(trained.test_clips, flip=True)
    with pytest.raises(ConfigurationMismatch, match="trained on features of another network"):
        apply(trained, out, clips=flipped)
    shutil.copytree(trained.run, tmp_path / "other")
    state = torch.load(tmp_path / "other" / "last.pt", weights_only=True)
    torch.save({**state, "more": 1}, tmp_path / "other" / "last.pt")
    with pytest.raises(ConfigurationMismatch, match="trained on features of another network"):
        apply(trained, out, run=tmp_path / "other")
    with pytest.raises(InputError, match="no answers for the subset 'val'"):
        apply(trained, out, clips=replace(trained.test_clips, subset="val"))
    few = read_answers(trained.made.answers, "test").pick(range(NUM_CLIPS))
    write_evaluation(tmp_path / "few", Evaluation(few))
    with pytest.raises(InputError, match=r"4 clips, of which 0 have no features, and 44 clips wi"):
        apply(trained, out, answers=tmp_path / "few")
    whole = replace(few, clip_ids=tuple(f"test/{n}" for n in range(NUM_CLIPS)))
    write_evaluation(tmp_path / "whole", Evaluation(whole))
    with pytest.raises(InputError, match="'test/0' is no id of a clip that was cut"):
        apply(trained, out, answers=tmp_path / "whole")
    with pytest.raises(InputError, match="no video has more clips than are kept"):
        train_ranker(
            trained.run,
            trained.made.store,
            trained.made.answers,
            out,
            NUM_CLIPS,
            trained.train_clips,
            SETTINGS,
        )
    assert not out.exists()


def test_settings_that_cannot_be_are_refused() -> None:
    for given, message in (
        ({"keep": 0}, "a clip or more that is kept, got 0"),
        ({"draws": 0}, "a draw or more, got 0"),
        ({"consensus": "median"}, "mean or max, got 'median'"),
        ({"method": "oracle"}, "got 'oracle', which knows the labels"),
        ({"method": "best"}, "saliency, got 'best'$"),
    ):
        with pytest.raises(InputError, match=message):
            SelectConfig(**given)
