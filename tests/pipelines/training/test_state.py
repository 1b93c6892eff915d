"""The state of a run: a damaged checkpoint is told by name, and nothing else is raised."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from potion_stores import make_potion_store

from posemill.errors import StoreCorrupted
from posemill.models.checkpoints import dump_checkpoint, read_checkpoint
from posemill.models.potion_cnn import PotionModel
from posemill.pipelines.training.clips import TrainingClips, open_clips
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.meter import EpochTotals
from posemill.pipelines.training.state import RunState, begin_run

CONFIG = TrainConfig(model=PotionModel(width=2), epochs=4, precision="fp16")
STEPS = 3
State = dict[str, Any]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> TrainingClips:
    store = make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr")
    return open_clips((store.url,), CONFIG, None)


def begun(clips: TrainingClips) -> RunState:
    return begin_run(CONFIG, clips, None, torch.device("cpu"))


@pytest.fixture(scope="module")
def content(clips: TrainingClips) -> bytes:
    """A checkpoint two steps into the second epoch."""
    state = begun(clips)
    for weight in state.network.parameters():
        weight.grad = torch.ones_like(weight)
    state.optimizer.step()
    state.scaler.scale(torch.ones(()))
    state.end_epoch(0.5, 1.0)
    state.steps_of_epoch = 2
    return state.dump(EpochTotals(loss=3.0, num_views=2.0))


def test_all_of_it_comes_back(clips: TrainingClips, content: bytes) -> None:
    state = begun(clips)
    state.restore(content, "last.pt", STEPS)
    again = read_checkpoint(state.dump(state.totals), "again")
    first = read_checkpoint(content, "first")
    kept = first.keys() - {"network", "optimizer"}
    assert {key: again[key] for key in kept} == {key: first[key] for key in kept}
    moments, others = again["optimizer"]["state"], first["optimizer"]["state"]
    assert moments.keys() == others.keys()
    assert all(torch.equal(moments[key]["exp_avg"], others[key]["exp_avg"]) for key in others)
    assert (state.totals.loss, state.best_epoch, state.best_score) == (3.0, 1, 0.5)
    state.restore(content, "last.pt", STEPS, is_first=False)
    assert state.totals == EpochTotals()


def put(name: str, value: Any) -> Callable[[State], None]:
    return lambda state: state.update({name: value})


def without(name: str, key: str) -> Callable[[State], None]:
    return lambda state: state[name].pop(key)


def of_first_weight(name: str, value: Any) -> Callable[[State], None]:
    return lambda state: state["optimizer"]["state"][0].update({name: value})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda state: state.pop("scaler"), "a checkpoint without scaler"),
        (put("optimizer", {}), "that no run goes on from"),
        (put("optimizer", None), "that no run goes on from"),
        (lambda state: state["optimizer"]["param_groups"][0].pop("betas"), "betas"),
        (lambda state: state["optimizer"]["param_groups"][0].update(eps=1.0), r"eps is 1\.0"),
        (lambda state: state["optimizer"]["state"][0].pop("exp_avg"), "lacks exp_avg"),
        (of_first_weight("exp_avg", torch.zeros(7)), "exp_avg is not of a weight of the shape"),
        (of_first_weight("step", "one"), "that no run goes on from"),
        (put("scaler", {}), "that no run goes on from"),
        (put("scaler", 3), "that no run goes on from"),
        (without("scaler", "growth_factor"), "growth_factor"),
        (put("plateau", {"worst": 1.0}), "worst"),
        (put("plateau", {"best": "high"}), r"plateau\.best is 'high', expected a number"),
        (put("plateau", [1]), "that no run goes on from"),
        (put("totals", {"loss": None}), r"totals\.loss is None"),
        (put("totals", 0), "that no run goes on from"),
        (put("epochs_done", 5), "epochs_done is 5, expected 0 to 4"),
        (put("epochs_done", "1"), "epochs_done is '1'"),
        (put("steps_of_epoch", STEPS), "steps_of_epoch is 3, expected 0 to 2"),
        (put("steps_of_epoch", -1), "steps_of_epoch is -1"),
        (put("best_epoch", 2), "best_epoch is 2, expected 0 to 1"),
        (put("best_score", "high"), "best_score is 'high'"),
    ],
)
def test_a_damaged_checkpoint_is_named(
    clips: TrainingClips, content: bytes, damage: Callable[[State], None], told: str
) -> None:
    state = read_checkpoint(content, "whole")
    damage(state)
    with pytest.raises(StoreCorrupted, match=rf"^runs/x/last\.pt: .*{told}.*another folder"):
        begun(clips).restore(dump_checkpoint(state), "runs/x/last.pt", STEPS)
