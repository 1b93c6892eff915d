import pytest
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


def test_the_main_models_are_contenders_of_four_kinds():
    by_name = {contender.name: contender for contender in CONTENDERS}
    assert len(by_name) == len(CONTENDERS)
    assert len({by_name[name].model for name in MAIN}) == 4
    assert all(by_name[name].jitter for name in MAIN)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda each: each.name)
def test_models_and_recipes_take_their_settings(contender):
    model = create_model(contender.model, contender.model_settings)
    recipe = create_recipe(contender.recipe, contender.recipe_settings)
    assert recipe.name in model.recipes
    create_recipe(contender.recipe, {**contender.recipe_settings, **contender.test_settings})


def test_plain_tests_have_all_clips_and_misled_ones_the_cue_alone():
    for contender, training in trainings():
        tests = list_tests(contender, training)
        assert (TEST in tests) == (training == "plain")
        assert len(tests) == len(set(tests)) > 0
