"""Presets: each can be trained on a store of its data set, and says what it published."""

from __future__ import annotations

import re
from dataclasses import replace
from inspect import getmodule
from pathlib import Path
from types import ModuleType

import pytest
import torch
from action_clips import ActionFolder, make_box_store
from dataset_files import index, put_files, put_videos, splits
from torch import Tensor

from posemill.errors import InputError
from posemill.models.base import LOGITS, ViewShapes
from posemill.pipelines.materialize import parse_assignments
from posemill.pipelines.presets import (
    PRESETS,
    get_preset,
    jmrn,
    pa3d,
    parnet,
    poseconv3d,
    potion,
    rgbpose,
    vpn,
)
from posemill.pipelines.train import plan_train
from posemill.storage.datasets.ntu import Ntu60Dataset, Ntu120Dataset
from posemill.storage.datasets.registry import dataset_names, get_dataset
from posemill.storage.datasets.tree import SPLIT
from posemill.transforms.recipes import create_recipe
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.skeletons import get_skeleton

MODULES = (potion, jmrn, pa3d, poseconv3d, rgbpose, vpn, parnet)
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


# Of those that take pictures: the pictures and the poses of a view, and the skeleton of the poses.
PICTURES = {
    "rgb": ((8, 224, 224, 3), "volume", (17, 32, 56, 56), "coco-17"),
    "rgbpose": ((16, 224, 224, 3), "volume", (17, 48, 56, 56), "coco-17"),
    "vpn": ((64, 224, 224, 3), "poses", (3, 25, 20), "ntu-25"),
    "vpn-smarthome": ((64, 224, 224, 3), "poses", (3, 13, 30), "smarthome-13"),
    "vpn-n-ucla": ((64, 224, 224, 3), "poses", (3, 20, 5), "nucla-20"),
    "parnet": ((16, 224, 224, 3), "poses", (16, 4, 14, 2), "coco-17"),
}
OF_POSES = [name for name, preset in PRESETS.items() if not preset.materialize]
OF_PICTURES = [name for name, preset in PRESETS.items() if preset.materialize]


def module_of(name: str) -> ModuleType:
    return next(each for each in MODULES if name in {preset.name for preset in each.PRESETS})


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ActionFolder:
    """Two videos of two people in boxes, of one class each."""
    return make_box_store(tmp_path_factory.mktemp("clips"), per_subset={"train": 2})


@pytest.mark.parametrize("name", OF_POSES)
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


@pytest.mark.parametrize("name", OF_PICTURES)
def test_its_network_takes_the_pictures_of_its_recipe(name: str) -> None:
    config = PRESETS[name].config
    family = next(key for key in sorted(PICTURES, reverse=True) if f"{name}-".startswith(f"{key}-"))
    frames, poses, shape, skeleton = PICTURES[family]
    recipe = create_recipe(config.recipe, parse_assignments(config.recipe_settings))
    assert isinstance(recipe, PictureRecipe)
    target = recipe.target(get_skeleton(skeleton))
    shapes = {spec.name: spec.shape for spec in recipe.view_outputs(target)}
    assert (shapes["frames"], shapes[poses]) == (frames, shape)
    with torch.device("meta"):
        network = config.model.network(shapes, 2)
    assert network(values(shapes))[LOGITS].shape == (2, 2)


def values(shapes: ViewShapes) -> dict[str, Tensor]:
    """Of two clips, without memory."""
    return {name: torch.empty(2, *shape, device="meta") for name, shape in shapes.items()}


def test_features_of_pictures_are_made_by_the_settings_that_are_trained_on() -> None:
    told = get_preset("vpn-n-ucla").materialize
    assert told.endswith("--recipe vpn-crops --set draw=cache --set space=3d --set length=5")
    assert not get_preset("potion-jhmdb").materialize
    assert get_preset("vpn-n-ucla").command.startswith("posemill train features.zarr ")


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
    written = {"smarthome": {"cs", "cv1", "cv2"}, "n-ucla": {"xview3"}, "ucf11": {"group01"}}
    if dataset in written:  # by cameras and groups in the names of videos, as its module has it
        return written[dataset]
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
