"""Checkpoints: read without running code, given to networks that they fit, refused by others."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from posemill.errors import InputError, StoreCorrupted
from posemill.models.base import PoseNetwork
from posemill.models.checkpoints import (
    MODEL,
    WEIGHTS,
    dump_checkpoint,
    fitting_weights,
    load_weights,
    read_checkpoint,
)
from posemill.models.potion_cnn import PotionModel

SHAPES = {"u": (17, 3, 9, 9)}
MODEL_OF_TWO = PotionModel(width=2)


def network(num_classes: int = 2, width: int = 2) -> PoseNetwork:
    torch.manual_seed(num_classes)
    return PotionModel(width=width).network(SHAPES, num_classes)


def checkpoint(trained: PoseNetwork) -> bytes:
    return dump_checkpoint({MODEL: MODEL_OF_TWO.configuration(), WEIGHTS: trained.state_dict()})


def weights(of: PoseNetwork) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in of.state_dict().items()}


def test_weights_come_back() -> None:
    trained, other = network(), network()
    with torch.no_grad():
        trained.classifier.weight.fill_(7.0)  # type: ignore[union-attr, operator]
    state = read_checkpoint(checkpoint(trained), "last.pt")
    load_weights(other, state, "last.pt")
    assert all(torch.equal(ours, weights(trained)[name]) for name, ours in weights(other).items())
    assert state[MODEL] == MODEL_OF_TWO.configuration()


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -100])
def test_what_is_cut_off_is_damaged(cut: int) -> None:
    whole = checkpoint(network())
    with pytest.raises(
        StoreCorrupted, match=r"^x/last\.pt: \d+ bytes that .*; give the last\.pt"
    ) as told:
        read_checkpoint(whole[:cut], "x/last.pt")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 250


class _Touch:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("save", [torch.save, pickle.dump])
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, save: Any) -> None:
    buffer = io.BytesIO()
    save({MODEL: _Touch(tmp_path / "run"), WEIGHTS: {}}, buffer)
    with pytest.raises(StoreCorrupted, match="might be code and are not read; give") as told:
        read_checkpoint(buffer.getvalue(), "evil.pt")
    assert "weights_only" not in str(told.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content",
    [
        *({"state_dict": {}}, [1, 2], {WEIGHTS: {}}, {MODEL: {}}),
        *({MODEL: {}, WEIGHTS: [1]}, {MODEL: {}, WEIGHTS: {"a": 1}}),
    ],
)
def test_files_of_others_are_no_checkpoints(content: Any) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with pytest.raises(StoreCorrupted, match="is no checkpoint of a training run: expected"):
        read_checkpoint(buffer.getvalue(), "other.pt")


def test_another_network_is_told_by_its_tensors() -> None:
    state = read_checkpoint(checkpoint(network()), "a.pt")
    before = weights(wider := network(width=3))
    words = r"a\.pt: is a checkpoint of another network: .* trained as {'name': 'potion'"
    for use in (load_weights, fitting_weights):
        with pytest.raises(InputError, match=words):
            use(wider, state, "a.pt")
    assert all(torch.equal(before[name], ours) for name, ours in weights(wider).items())
    with pytest.raises(InputError, match=r"2 tensors differ, as classifier\.weight"):
        load_weights(network(num_classes=3), state, "a.pt")


def test_a_network_of_other_classes_begins_with_all_but_the_classifier() -> None:
    trained, other = network(), network(num_classes=3)
    with torch.no_grad():
        for each in trained.parameters():
            each.fill_(0.5)
    before = weights(other)
    state = read_checkpoint(checkpoint(trained), "a.pt")
    other.load_state_dict(fitting_weights(other, state, "a.pt"), strict=False)
    for name, ours in weights(other).items():
        same = before if name.startswith("classifier.") else weights(trained)
        assert torch.equal(ours, same[name]), name
    alike = fitting_weights(network(), state, "a.pt")
    assert torch.equal(alike["classifier.weight"], weights(trained)["classifier.weight"])


def test_what_fits_is_told_without_memory_for_the_network() -> None:
    state = read_checkpoint(checkpoint(network()), "a.pt")
    with torch.device("meta"):
        empty = network(num_classes=3)
    fitting = fitting_weights(empty, state, "a.pt")
    assert fitting.keys() == {n for n in state[WEIGHTS] if not n.startswith("classifier.")}
