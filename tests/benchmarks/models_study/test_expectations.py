from dataclasses import replace

import pytest
import torch
from models_study.actions import action_clips
from models_study.expectations import EXPECTATIONS
from models_study.motions import PAIRS
from models_study.plan import CONTENDERS, MAIN, PROBE, TEST, Sizes, list_tests, trainings

from posemill.models.create import create_model
from posemill.transforms.recipes import create_recipe

TESTED = {
    (contender.name, training, test)
    for contender, training in trainings()
    for test in (*list_tests(contender, training), PROBE)
}


def test_sizes_are_those_of_the_pilot():
    sizes = Sizes()
    assert len(sizes.seeds) >= 4
    assert len(action_clips("train", sizes.train_per_class)) == 480
    assert len(action_clips("test", sizes.test_per_class)) == 1200


def test_expectations_are_of_what_is_tested():
    for expectation in EXPECTATIONS:
        for condition in (expectation.first, expectation.second):
            assert (condition.contender, condition.training, condition.test) in TESTED
        assert expectation.first != expectation.second
        assert expectation.pair in ("", *(pair.name for pair in PAIRS))
        assert expectation.source


def test_multi_scale_and_contrast_have_no_expected_sign():
    open_ones = {str(each) for each in EXPECTATIONS if not each.gain}
    assert "PA3D global+dilated + jitter - PA3D global + jitter" in open_ones
    assert "JMRN + jitter + contrast - JMRN + jitter" in open_ones


def test_the_main_models_are_of_four_kinds_and_there_with_and_without_jitter():
    by_name = {contender.name: contender for contender in CONTENDERS}
    assert len(by_name) == len(CONTENDERS)
    assert len({by_name[name].model for name in MAIN}) == 4
    for name in MAIN:
        assert replace(by_name[name], name=f"{name} + jitter", jitter=True) in CONTENDERS


def test_contenders_that_are_compared_have_one_jitter():
    jittered = {contender.name: contender.jitter for contender in CONTENDERS}
    for expectation in EXPECTATIONS:
        first, second = expectation.first.contender, expectation.second.contender
        assert jittered[first] == jittered[second] or first == f"{second} + jitter"


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda each: each.name)
def test_models_and_recipes_take_their_settings(contender):
    model = create_model(contender.model, contender.model_settings)
    recipe = create_recipe(contender.recipe, contender.recipe_settings)
    assert recipe.name in model.recipes
    create_recipe(contender.recipe, {**contender.recipe_settings, **contender.test_settings})


def test_models_have_about_as_many_parameters():
    shapes = {
        "u": (17, 3, 24, 24), "p": (18, 3, 24, 24), "joints": (8, 17, 24, 24),
        "volume": (17, 16, 20, 20),
    }  # fmt: skip
    for contender in CONTENDERS:
        with torch.device("meta"):
            network = create_model(contender.model, contender.model_settings).network(shapes, 12)
        assert 85_000 < sum(weight.numel() for weight in network.parameters()) < 145_000


def test_main_models_alone_are_tested_otherwise():
    for contender, training in trainings():
        tests = list_tests(contender, training)
        assert (TEST in tests) == (training == "plain")
        assert (len(tests) > 1) == (contender.name in MAIN)
