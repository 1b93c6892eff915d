"""Presets: each can be trained on a store of its data set, and says what it published."""

from __future__ import annotations

import re
from dataclasses import replace
from inspect import getmodule
from pathlib import Path
from types import ModuleType

import pytest
from action_clips import ActionFolder, make_box_store
from dataset_files import index, put_files, put_videos, splits

from posemill.errors import InputError
from posemill.pipelines.presets import PRESETS, get_preset, jmrn, pa3d, poseconv3d, potion
from posemill.pipelines.train import plan_train
from posemill.storage.datasets.ntu import Ntu60Dataset, Ntu120Dataset
from posemill.storage.datasets.registry import dataset_names, get_dataset
from posemill.storage.datasets.tree import SPLIT

MODULES = (potion, jmrn, pa3d, poseconv3d)
COMMAND = re.compile(r"^    posemill train (.*)\n        published: (.*)$", re.MULTILINE)
INIT = "poseconv3d-kinetics400"
"""Whose weights are finetuned by presets whose header says so."""

# The arrays of a training view, of COCO's 17 joints (18 with the neck) and 16 limbs.
SHAPES = {
    "potion": ("u", (17, 3, 64, 86)),
    "jmrn": ("p", (18, 3, 64, 86)),
    "jmrn-charades": ("p", (18, 3, 64, 64)),
    "jmrn-ava": ("p", (2, 18, 3, 64, 86)),
    "pa3d": ("joints", (8, 17, 64, 86)),
    "pa3d-jhmdb": ("joints", (4, 17, 64, 86)),
    "poseconv3d": ("volume", (17, 48, 56, 56)),
    "poseconv3d-volleyball": ("volume", (17, 12, 64, 64)),
    "poseconv3d-hmdb51": ("volume", (17, 48, 48, 48)),
    "poseconv3d-ucf101": ("volume", (17, 48, 48, 48)),
}
# Millions of parameters that the papers report or that follow from their tables, of two classes.
MILLIONS = {
    "potion": 4.71, "jmrn-jhmdb": 8.205, "jmrn-hmdb51": 7.599, "jmrn-charades": 7.296,
    "pa3d": 4.81, "pa3d-jhmdb": 4.89, "poseconv3d": 2.0, "poseconv3d-volleyball": 0.51,
}  # fmt: skip


def module_of(name: str) -> ModuleType:
    return next(each for each in MODULES if name in {preset.name for preset in each.PRESETS})


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ActionFolder:
    """Two videos of two people in boxes, of one class each."""
    return make_box_store(tmp_path_factory.mktemp("clips"), per_subset={"train": 2})


@pytest.mark.parametrize("name", PRESETS)
def test_its_network_takes_the_views_of_its_recipe(clips: ActionFolder, name: str) -> None:
    config = PRESETS[name].config
    share = 0.5 if config.clips.hold_out else 0.0
    here = replace(config, split="default", clips=replace(config.clips, hold_out=share))
    plan = plan_train(clips.store, here)
    family = name.partition("-")[0]
    array, shape = SHAPES.get(name, SHAPES[family])
    assert plan.shapes[array] == shape
    expected = MILLIONS.get(name, MILLIONS.get(family))
    if expected is not None:
        assert plan.num_parameters / 1e6 == pytest.approx(expected, rel=0.02)
    assert plan.num_steps == config.epochs  # of fewer clips than a batch


@pytest.mark.parametrize("name", PRESETS)
def test_its_header_says_its_command_and_what_was_published(name: str) -> None:
    preset, module = PRESETS[name], module_of(name)
    headers = dict(COMMAND.findall(module.__doc__ or ""))
    (command,) = [each for each in headers if f"--preset {name} " in each]
    init = f"--init runs/{INIT} -o ..."
    finetuned = init in command
    assert command == (
        f"poses.zarr --preset {name} {init}" if finetuned else preset.command.split("train ")[1]
    )
    figures = re.findall(r"\d+\.\d+", preset.published)
    assert figures
    assert figures == [each for each in figures if each in headers[command]]


def test_every_header_is_of_a_preset() -> None:
    for module in MODULES:
        commands = [command for command, _ in COMMAND.findall(module.__doc__ or "")]
        named = [re.search(r"--preset (\S+)", command) for command in commands]
        assert [each and each[1] for each in named] == [preset.name for preset in module.PRESETS]
    assert INIT in PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_its_data_set_has_its_split(tmp_path: Path, name: str) -> None:
    preset = PRESETS[name]
    assert preset.dataset in dataset_names()
    assert preset.config.split in splits_of(preset.dataset, tmp_path)
    assert preset.config.subset == "train"


def splits_of(dataset: str, folder: Path) -> set[str]:
    """Names of the splits, as an index of the data set's files makes them."""
    if dataset in ("ntu60", "ntu120"):
        names = ["S001C001P001R001A001"]
        found = {"ntu60": Ntu60Dataset, "ntu120": Ntu120Dataset}[dataset]().read([], names)
        return set(found.clips[0].splits)
    files = {
        "hmdb51": {"wave_test_split1.txt": "a_0.avi 1\n"},
        "jhmdb": {"wave_test_split1.txt": "a_0.avi 1\n"},
        "ucf101": {"classInd.txt": "1 YoYo\n", "trainlist01.txt": "YoYo/v_YoYo_g01_c01.avi 1\n"},
    }.get(dataset)
    if files is None:  # that have one split
        assert vars(getmodule(get_dataset(dataset)))["SPLIT"] == SPLIT
        return {SPLIT}
    videos = put_videos(folder / "videos", "wave/a_0.avi", "YoYo/v_YoYo_g01_c01.avi")
    catalog = index(dataset, put_files(folder / "notes", files), videos=videos).catalog
    return {split for each in splits(catalog).values() for split in each}


def test_names_are_all_different_and_found() -> None:
    listed = [preset for module in MODULES for preset in module.PRESETS]
    assert len(PRESETS) == len(listed)
    assert all(get_preset(preset.name) is preset for preset in listed)
    with pytest.raises(InputError, match=r"'potion-ucf' \(did you mean 'potion-ucf101'\?\); there"):
        get_preset("potion-ucf")


def test_what_watches_scores_watches_held_out_training_clips() -> None:
    for preset in PRESETS.values():
        watches = preset.config.schedule.shape == "plateau"
        assert (preset.config.clips.hold_out > 0) == watches, preset.name
