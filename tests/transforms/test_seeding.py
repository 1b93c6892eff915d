import numpy as np

from posemill.transforms.seeding import (
    clip_generator,
    equal_generators,
    generator_beside,
    view_generators,
)


def test_a_generator_follows_from_seed_clip_epoch_and_view() -> None:
    asked = [(0, "a", 0, 0), (1, "a", 0, 0), (0, "b", 0, 0), (0, "a", 1, 0), (0, "a", 0, 1)]
    first = [clip_generator(*each).integers(2**60) for each in asked]
    assert first == [clip_generator(*each).integers(2**60) for each in asked]
    assert len(set(first)) == len(asked)


def test_a_views_generator_is_the_same_however_many_views_there_are() -> None:
    three, five = (view_generators(clip_generator(3, "clip"), number) for number in (3, 5))
    draws = [each.random() for each in five]
    assert [each.random() for each in three] == draws[:3]
    assert len(set(draws)) == 5


def test_views_are_drawn_apart_from_their_clips_generator() -> None:
    rng = np.random.default_rng(7)
    view_generators(rng, 4)[2].random(100)
    assert rng.random() == np.random.default_rng(7).random()


def test_equal_generators_draw_the_same_and_have_equal_ones_beside_them() -> None:
    rng = np.random.default_rng(7)
    rng.random(3)
    first, *others = equal_generators(rng, 3)
    assert first is rng
    draws = rng.random(5).tolist()
    assert [each.random(5).tolist() for each in others] == [draws, draws]
    beside = generator_beside(rng).random()
    assert [generator_beside(each).random() for each in others] == [beside, beside]
