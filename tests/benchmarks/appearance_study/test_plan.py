import pytest
import torch
from appearance_study.expectations import EXPECTATIONS
from appearance_study.plan import CONTENDERS, FEATURES, JOINT, SINGLE, Sizes, chosen
from appearance_study.scenes import CLASSES, FRAMES

from posemill.models.create import create_model
from posemill.transforms.recipes import create_recipe
from posemill.transforms.recipes.views import ViewRecipe
from posemill.transforms.skeletons import COCO_17

BY_NAME = {contender.name: contender for contender in CONTENDERS}


def view_shapes(name: str) -> dict[str, tuple[int, ...]]:
    features = FEATURES[name]
    recipe = create_recipe(features.recipe, {**features.settings, **features.tested})
    target = recipe.target(COCO_17)
    if isinstance(recipe, ViewRecipe):
        return {spec.name: spec.shape for spec in recipe.view_outputs(target)}
    return {spec.name: spec.shape[1:] for spec in recipe.outputs(target)}


def test_names_are_of_one_contender_each():
    assert len(BY_NAME) == len(CONTENDERS)
    assert len(Sizes().seeds) >= 3


def test_every_joint_network_is_compared_with_one_modality():
    for name in JOINT:
        seconds = {each.second for each in EXPECTATIONS if each.first == name and each.gain}
        assert seconds & set(SINGLE), name


def test_expectations_are_of_contenders():
    for each in EXPECTATIONS:
        assert {each.first, each.second} <= BY_NAME.keys()
        assert each.first != each.second
        assert each.source


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda each: each.name)
def test_a_network_takes_the_features_and_reads_what_is_said(contender):
    model = create_model(contender.model, contender.settings)
    assert FEATURES[contender.features].recipe in model.recipes
    shapes = view_shapes(contender.features)
    network = model.network(shapes, len(CLASSES)).eval()
    arrays = shapes.keys() & {"frames", "poses", "volume"}
    values = {name: torch.rand(2, *shapes[name]) for name in arrays}
    with torch.no_grad():
        before = network(values)["logits"]
        for name in values:
            changed = network({**values, name: torch.rand(2, *shapes[name])})["logits"]
            kind = "pictures" if name == "frames" else "poses"
            assert torch.equal(before, changed) == (contender.reads not in (kind, "both")), name


@pytest.mark.parametrize("name", FEATURES)
def test_a_training_cache_keeps_the_poses_of_every_frame(name):
    settings = FEATURES[name].settings
    if "candidates" in settings:
        assert int(settings["length"]) * int(settings["candidates"]) == FRAMES


def test_some_contenders_are_chosen_by_name():
    assert [each.name for each in chosen(("parnet-tmp", "rgb"))] == ["rgb", "parnet-tmp"]
    assert chosen(()) == CONTENDERS
    with pytest.raises(ValueError, match=r"no contender is called parnet-tm; there are: rgb, .*"):
        chosen(("parnet-tm",))
