import numpy as np
from models_study.noise import Noise, observe

from posemill.transforms.skeletons import COCO_17

NONE = Noise(jitter=0, outliers=0, loses_joint=0, swaps=0)


def clean(num_frames: int = 200) -> np.ndarray:
    return np.tile(np.random.default_rng(1).uniform(0, 100, (17, 2)), (num_frames, 1, 1))


def seen(noise: Noise, num_frames: int = 200, seed: int = 0):
    xy, score = observe(np.random.default_rng(seed), clean(num_frames), 100.0, noise)
    return xy - clean(num_frames), score


def test_nothing_changes_without_noise():
    errors, score = seen(NONE)
    assert not errors.any()
    assert score.min() >= 0.3
    assert score.max() <= 1.0


def test_jitter_is_three_percent_of_the_height_and_remembers():
    errors, _ = seen(Noise(outliers=0, swaps=0), num_frames=3000)
    assert abs(errors.std() - 3.0) < 0.15
    before, after = errors[:-1].ravel(), errors[1:].ravel()
    assert abs(np.corrcoef(before, after)[0, 1] - 0.8) < 0.02


def test_jitter_is_as_wide_from_the_first_frame_on():
    first = [seen(Noise(outliers=0, swaps=0), 2, seed)[0][0] for seed in range(100)]
    assert abs(np.std(first) - 3.0) < 0.2


def test_some_joints_are_elsewhere():
    errors, _ = seen(Noise(jitter=0, swaps=0, loses_joint=0), num_frames=3000)
    assert abs(errors.any(axis=-1).mean() - 0.015) < 0.003


def test_some_frames_have_their_sides_swapped():
    errors, _ = seen(Noise(jitter=0, outliers=0, loses_joint=0), num_frames=3000)
    wrong = errors.any(axis=(1, 2))
    assert abs(wrong.mean() - 0.03) < 0.01
    expected = clean()[0][list(COCO_17.mirror)] - clean()[0]
    np.testing.assert_allclose(errors[wrong][0], expected)


def test_three_people_of_ten_lose_one_joint_for_up_to_a_third_on_end():
    lost = [seen(Noise(), 90, seed)[1] == 0 for seed in range(400)]
    of_those = [each for each in lost if each.any()]
    assert abs(len(of_those) / len(lost) - 0.3) < 0.07
    for each in of_those:
        (joint,) = np.flatnonzero(each.any(axis=0))
        frames = np.flatnonzero(each[:, joint])
        assert len(frames) <= 30
        assert np.all(np.diff(frames) == 1)
    assert max(each.sum() for each in of_those) > 20
