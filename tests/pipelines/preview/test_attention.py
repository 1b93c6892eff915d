"""Sheets of the weights of runs: JMRN's, VPN's and PARNet's, and refusals."""

from pathlib import Path

import numpy as np
import pytest
from attention_runs import CLIP_IDS, make_run, make_store
from pictures import panel, read_png

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.jmrn import JmrnModel
from posemill.models.parnet import ParnetModel
from posemill.models.vpn import VpnModel
from posemill.pipelines.preview.attention import preview_attention
from posemill.pipelines.preview.attention_heat import heat
from posemill.pipelines.preview.sheets import PANEL_PX
from posemill.schema import UInt8
from posemill.storage.features import FeatureStore

TITLE = 32
FULL = heat(np.ones(1, np.float32))[0].astype(int)
VPN = {"pictures": "8", "views": "2", "size": "28"}
PARNET = {"length": "4", "short_side": "28", "crop": "28"}
POSES = np.zeros((4, 4, 14, 2), np.float32)  # time, person, joint, x and y
POSES[:, 0], POSES[:, 1] = (0.25, 0.5), (0.75, 0.5)
POSES[:, :2, :, 1] += np.linspace(-0.2, 0.3, 14)
PEOPLE = {"frames": np.full((4, 28, 28, 3), 100, np.uint8), "poses": POSES}


def hottest(picture: UInt8, parts: int) -> tuple[int, int]:
    """The part (row, column) of parts x parts that lies where the picture is brightest."""
    sums = picture.astype(int).sum(axis=2)
    row, column = np.unravel_index(sums.argmax(), sums.shape)
    return int(row * parts // sums.shape[0]), int(column * parts // sums.shape[1])


def small(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.0, 0.1, (2, count, *shape)).astype(np.float32)


@pytest.fixture
def vpn_store(tmp_path: Path) -> FeatureStore:
    return make_store(
        tmp_path / "vpn.zarr", "vpn-crops", VPN, frames=np.full((2, 8, 28, 28, 3), 100, np.uint8)
    )


def test_vpn_weights_lie_over_the_pictures_of_their_view(
    tmp_path: Path, vpn_store: FeatureStore
) -> None:
    space_time = small(2, 4, 7, 7)
    space_time[0, 0, 2, 1, 5] = space_time[0, 1, 3, 6, 0] = 1.0  # clip, view, time, y, x
    looks = {
        "space_time": space_time,
        "space": small(2, 7, 7),
        "time": small(2, 4),
        "joints": small(2, 17, 20),
    }
    run = make_run(tmp_path / "run", VpnModel(skeleton="coco-17"), vpn_store, looks)
    paths = preview_attention(run, vpn_store.url, tmp_path / "out")
    assert [path.name[:6] for path in paths] == ["test_0", "test_1"]
    sheet = read_png(paths[0])
    second = len(sheet) // 2 + TITLE // 2  # a title, then two views of one height
    for view, (top, time, place) in enumerate(
        [(2 * TITLE, 2, (1, 5)), (second + TITLE, 3, (6, 0))]
    ):
        pictures = [panel(sheet[top:], n, 6, (PANEL_PX, PANEL_PX)) for n in range(4)]
        brightest = [int(picture.astype(int).sum(axis=2).max()) for picture in pictures]
        assert int(np.argmax(brightest)) == time, view
        assert hottest(pictures[time], 7) == place


def test_weights_of_mirror_images_lie_over_mirror_images(tmp_path: Path) -> None:
    frames = np.zeros((1, 8, 28, 28, 3), np.uint8)
    frames[:, :, :, 14:] = 250  # bright on the right
    store = make_store(tmp_path / "vpn.zarr", "vpn-crops", VPN | {"views": "1"}, frames=frames)
    model = VpnModel(skeleton="coco-17", attention="spatial")
    looks = {"space": np.ones((2, 2, 7, 7), np.float32)}
    run = make_run(tmp_path / "run", model, store, looks, flip=True)
    sheet = read_png(preview_attention(run, store.url, tmp_path / "out", limit=1)[0])
    for view, right in enumerate((True, False)):
        top = (2 + view) * TITLE + view * (len(sheet) - 3 * TITLE) // 2
        shown = panel(sheet[top:], 0, 6, (PANEL_PX, PANEL_PX)).astype(int).sum(axis=2)
        sides = [float(shown[:, :72].mean()), float(shown[:, 100:].mean())]
        assert sides[right] > 2 * sides[not right]


def test_dissociated_weights_of_space_are_drawn_alone(
    tmp_path: Path, vpn_store: FeatureStore
) -> None:
    space = small(2, 7, 7)
    space[:, :, 4, 2] = 1.0
    model = VpnModel(skeleton="coco-17", attention="dissociated")
    run = make_run(tmp_path / "run", model, vpn_store, {"space": space, "time": small(2, 4)})
    (path,) = preview_attention(run, vpn_store.url, tmp_path / "out", limit=1)
    for number in range(6):
        shown = panel(read_png(path)[2 * TITLE :], number, 6, (PANEL_PX, PANEL_PX))
        assert hottest(shown, 7) == (4, 2)


def test_parnet_weights_are_of_places_and_of_people(tmp_path: Path) -> None:
    store = make_store(tmp_path / "parnet.zarr", "parnet-frames", PARNET, **PEOPLE)
    places, persons = small(1, 4, 14, 14), np.full((2, 1, 4, 4), 0.2, np.float32)
    places[:, :, 1, 9, 3] = 1.0
    persons[:, :, :, 1] = 0.4
    run = make_run(tmp_path / "run", ParnetModel(), store, {"places": places, "persons": persons})
    sheet = read_png(preview_attention(run, store.url, tmp_path / "out", limit=1)[0])
    shown = panel(sheet[TITLE:], 1, 6, (PANEL_PX, PANEL_PX))
    assert hottest(shown, 14) == (9, 3)
    # below: the heading, pictures, captions and key of the places
    people = sheet[TITLE + 28 + PANEL_PX + 28 + 38 :]
    first = panel(people, 0, 6, (PANEL_PX, PANEL_PX)).astype(int)
    full = (np.abs(first - FULL).sum(axis=2) < 30).any(axis=0)
    assert full[PANEL_PX // 2 :].any()  # who weighs most is on the right
    assert not full[: PANEL_PX // 2].any()


def test_people_of_poses_alone_are_drawn_on_a_plain_ground(tmp_path: Path) -> None:
    store = make_store(tmp_path / "parnet.zarr", "parnet", PARNET, poses=POSES)
    looks = {"persons": np.full((2, 1, 4, 4), 0.25, np.float32)}
    run = make_run(tmp_path / "run", ParnetModel(modules="tmp"), store, looks)
    (path,) = preview_attention(run, store.url, tmp_path / "out", limit=1)
    shown = panel(read_png(path)[TITLE:], 0, 4, (PANEL_PX, PANEL_PX))
    assert np.ptp(shown, axis=(0, 1)).any()


def test_jmrn_weights_are_at_the_places_of_the_joints(tmp_path: Path) -> None:
    maps = np.zeros((18, 3, 24, 32), np.float16)
    maps[3, :, 6, 8], maps[5, :, 18, 24] = 1.0, 1.0  # joint, y, x
    valid_hw = np.array([24, 32], np.int32)
    store = make_store(
        tmp_path / "jmrn.zarr", "jmrn", {"canvas_hw": "24,32"}, p=maps, valid_hw=valid_hw
    )
    weights = np.full((2, 1, 18), 0.1, np.float32)
    weights[:, :, 3], weights[:, :, 5] = 0.9, 0.5
    run = make_run(tmp_path / "run", JmrnModel(width=4), store, {"joints": weights})
    sheet = read_png(preview_attention(run, store.url, tmp_path / "out", limit=1)[0])
    figure = panel(sheet[TITLE:], 0, 1, (258, 344))
    pitch = 344 / 32
    for y, x, share in ((6.5, 8.5, 1.0), (18.5, 24.5, 0.5)):
        at = figure[int(y * pitch), int(x * pitch)]
        np.testing.assert_allclose(at, heat(np.full(1, share, np.float32))[0], atol=4)
    bars = sheet[TITLE + 28 : TITLE + 28 + 16 * 18]
    full = [(bars[16 * joint + 8] == FULL).all(axis=1).sum() for joint in range(18)]
    assert int(np.argmax(full)) == 3


def test_what_does_not_belong_together_is_refused(tmp_path: Path, vpn_store: FeatureStore) -> None:
    model, url, out = VpnModel(skeleton="coco-17"), vpn_store.url, tmp_path / "out"
    run = make_run(tmp_path / "run", model, vpn_store, {"space": small(2, 7, 7)})
    with pytest.raises(InputError, match="at least 1 clip"):
        preview_attention(run, url, out, limit=0)
    with pytest.raises(InputError, match=r"evaluate .* STORE --subset train --attention` first"):
        preview_attention(run, url, out, subset="train")
    parnet = make_store(tmp_path / "parnet.zarr", "parnet-frames", PARNET)
    with pytest.raises(InputError, match="the model vpn reads vpn-crops"):
        preview_attention(run, parnet.url, out)
    larger = make_store(tmp_path / "larger.zarr", "vpn-crops", VPN | {"size": "32"})
    with pytest.raises(ConfigurationMismatch, match="size: 32, trained on 28"):
        preview_attention(run, larger.url, out)
    one_view = make_store(tmp_path / "one.zarr", "vpn-crops", VPN | {"views": "1"})
    with pytest.raises(InputError, match=r"has 1 views of a clip, and .* has weights of 2"):
        preview_attention(run, one_view.url, out)
    assert not out.exists()


def test_weights_that_are_of_other_clips_or_unknown_are_refused(
    tmp_path: Path, vpn_store: FeatureStore
) -> None:
    model, url, looks = VpnModel(skeleton="coco-17"), vpn_store.url, {"space": small(2, 7, 7)}
    others = make_run(tmp_path / "others", model, vpn_store, looks, ("test/7", CLIP_IDS[1]))
    with pytest.raises(
        InputError, match=r"lacks 1 of the 2 clips .* such as test/7; give the store"
    ):
        preview_attention(others, url, tmp_path)
    unknown = make_run(tmp_path / "unknown", model, vpn_store, {"channels": small(2, 5)})
    with pytest.raises(InputError, match="the weights channels, of which there are no pictures"):
        preview_attention(unknown, url, tmp_path)
    joints = make_run(tmp_path / "joints", model, vpn_store, {"joints": small(2, 25, 20)})
    with pytest.raises(InputError, match=r"of joints of a view are \(25, 20\), which do not fit"):
        preview_attention(joints, url, tmp_path)
