"""`merge` as its users see it: two runs to weights that training begins with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from made_runs import write_run  # noqa: E402
from tiny_rgbpose import JOINTS, opened, tiny_shapes, tiny_views  # noqa: E402
from torch import nn  # noqa: E402

from posemill.models.base import LOGITS, Model, PoseNetwork  # noqa: E402
from posemill.models.create import create_model  # noqa: E402
from posemill.models.rgbpose import POSE_LOGITS, RGB_LOGITS  # noqa: E402
from posemill.pipelines.training.initial import read_initial  # noqa: E402

CLASSES = ("jump", "run", "walk", "wave")
FRAMES = {"frames": (2, 32, 32, 3)}
VOLUME = {"volume": (JOINTS, 6, 17, 17)}
RGB = {"width": str(2 / 64)}
POSE = {"base": "4", "blocks": "1,2,1"}


def drawn(model: Model, shapes: dict[str, tuple[int, ...]], num_classes: int) -> PoseNetwork:
    torch.manual_seed(len(model.name))
    network = opened(model.network(shapes, num_classes)).eval()
    nn.init.normal_(network.classifier.weight, std=0.5)
    return network


def rgb_run(root: Path, classes: tuple[str, ...] = CLASSES, **settings: str) -> Path:
    model = create_model("rgb", {**RGB, **settings})
    network = drawn(model, FRAMES, len(classes))
    return write_run(root, model, network, FRAMES, recipe="rgb-clip", classes=classes)


def pose_run(root: Path, recipe: str = "volume", epochs_done: int = 2, **settings: str) -> Path:
    model = create_model("poseconv3d", {**POSE, **settings})
    network = drawn(model, VOLUME, len(CLASSES))
    return write_run(
        root, model, network, VOLUME, recipe=recipe, classes=CLASSES, epochs_done=epochs_done
    )


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return rgb_run(tmp_path / "rgb"), pose_run(tmp_path / "pose")


def begun(place: Path, settings: list[str]) -> PoseNetwork:
    """As `train --init` begins, with the settings that `merge` told."""
    given = dict(each.removeprefix("model.").split("=", 1) for each in settings)
    network = create_model("rgbpose", given).network(tiny_shapes(), len(CLASSES))
    initial = read_initial(str(place))
    assert initial is not None
    tensors, _ = initial.fitting(network)
    network.load_state_dict(tensors)  # its classifiers fit, too
    return network.eval()


@pytest.mark.parametrize("lateral", ["both", "pose-to-rgb"])
def test_training_begins_with_what_both_runs_answer(
    run, runs: tuple[Path, Path], tmp_path: Path, lateral: str
) -> None:
    out = tmp_path / "new" / "merged.pt"
    status, told, _ = run("merge", *runs, "-o", out, "--lateral", lateral, "--json")
    summary = json.loads(told)
    assert status == 0
    assert summary["classes"] == 4
    assert summary["model"]["settings"]["lateral"] == lateral
    assert len(summary["tensors_padded"]) == (8 if lateral == "both" else 4)
    network = begun(out, summary["train_settings"])
    rgb = drawn(create_model("rgb", RGB), FRAMES, 4)
    views = tiny_views(3)
    with torch.no_grad():
        answers = network(views)
        alone = rgb(views)[LOGITS]
    torch.testing.assert_close(answers[RGB_LOGITS], alone, rtol=1e-5, atol=1e-5)
    assert answers[POSE_LOGITS].shape == (3, 4)


def test_its_line_tells_how_to_go_on(run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "merged.pt"
    status, line, _ = run("merge", *runs, "-o", out)
    assert status == 0
    assert line.startswith(f"{out}: rgbpose of 4 classes, ")
    assert " 8 with zeros appended, 14 new; " in line
    assert line.rstrip().endswith(
        f"train with --model rgbpose --init {out} --set model.rgb_base=2 --set model.pose_base=4 "
        "--set model.pose_blocks=1,2,1"
    )
    first = out.read_bytes()
    assert run("merge", *runs, "-o", out)[0] == 0
    assert out.read_bytes() == first
    assert run("merge", *runs, "-o", out, "--seed", 1)[0] == 0
    assert out.read_bytes() != first


def test_runs_that_cannot_be_merged_are_refused(
    run, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    rgb, pose = runs
    names = ("jump", "run", "walk", "fall")
    for first, second, message in (
        (pose, rgb, f"{pose} is a run of the model poseconv3d with backbone=slowonly; the first"),
        (rgb, rgb, f"{rgb} is a run of the model rgb with backbone=slowonly-r50; the second run"),
        (
            rgb,
            pose_run(tmp_path / "c3d", backbone="c3d", blocks="1,1,1,1,1"),
            "with backbone=c3d; the second run of a merge is of the model poseconv3d with "
            "backbone=slowonly or slowonly-wd",
        ),
        (rgb, pose_run(tmp_path / "limbs", "limb-volume"), "trained on limb-volume, and rgbpose"),
        (
            rgb_run(tmp_path / "fall", names),
            pose,
            f"{tmp_path / 'fall'} knows 4 classes, and {pose} 4; they differ, as fall; train",
        ),
        (rgb, pose_run(tmp_path / "half", epochs_done=1), "has finished 1 of 2 epochs"),
        (tmp_path / "none", pose, "none holds no run"),
    ):
        status, _, err = run("merge", first, second, "-o", tmp_path / "merged.pt")
        assert status == 2
        assert message in err
        assert err.count("\n") == 1
    assert not (tmp_path / "merged.pt").exists()


def test_options_that_cannot_be_are_refused(run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    for options, message in (
        (("-o", tmp_path), "is a folder; choose another file"),
        (("-o", runs[0] / "last.pt"), "is in the folder of a run"),
        (("-o", tmp_path / "m.pt", "--lateral", "left"), "lateral must be both or rgb-to-pose or"),
        (("-o", tmp_path / "m.pt", "--weights", "first"), "weights must be last or best"),
        (("-o", tmp_path / "m.pt", "--weights", "best"), "has no best epoch"),
    ):
        status, _, err = run("merge", *runs, *options)
        assert status == 2
        assert message in err
