"""Small ONNX networks with the outputs of the real ones, which find people that are dots.

In each colour channel the bright pixels are one person: its place is their centroid, its
score how bright the brightest is above half, its keypoints lie at KEYPOINT_OFFSETS from
the place, with the channel's VISIBILITY, and its box reaches BOX pixels to every side.
Where a channel has no pixel brighter than half, the person's score is 0.
"""

from pathlib import Path

import numpy as np
import onnx.parser
from onnx import ModelProto

BOX = 8.0
VISIBILITY = (0.25, 0.5, 0.75)
KEYPOINT_OFFSETS = np.stack([np.arange(17.0) - 8, 4 - np.arange(17.0) / 2], axis=1)

_FIND = """
    half = Constant<value_float = {half}>()
    above = Sub(pictures, half)
    bright = Relu(above)
    peak = ReduceMax<axes = [2, 3], keepdims = 0>(bright)
    score = Div(peak, half)
    both = Constant<value_ints = [2, 3]>()
    down = Constant<value_ints = [2]>()
    last = Constant<value_ints = [-1]>()
    mass = ReduceSum<keepdims = 0>(bright, both)
    tiny = Constant<value_float = 1e-9>()
    some = Add(mass, tiny)
    zero = Constant<value_float = 0.0>()
    one = Constant<value_float = 1.0>()
    axis = Constant<value_int = 2>()
    columns = ReduceSum<keepdims = 0>(bright, down)
    rows = ReduceSum<keepdims = 0>(bright, last)
    blank = Mul(columns, zero)
    unit = Add(blank, one)
    xs = CumSum<exclusive = 1>(unit, axis)
    blank2 = Mul(rows, zero)
    unit2 = Add(blank2, one)
    ys = CumSum<exclusive = 1>(unit2, axis)
    wide = Mul(columns, xs)
    high = Mul(rows, ys)
    xsum = ReduceSum<keepdims = 1>(wide, last)
    ysum = ReduceSum<keepdims = 1>(high, last)
    mass1 = Unsqueeze(some, last)
    score1 = Unsqueeze(score, last)
    x = Div(xsum, mass1)
    y = Div(ysum, mass1)
    place = Concat<axis = 2>(x, y)
    box = Constant<value_float = {box}>()
    low = Sub(place, box)
    top = Add(place, box)
    offsets = Constant<value_floats = [{offsets}]>()
    grid = Constant<value_ints = [17, 2]>()
    around = Reshape(offsets, grid)
    place4 = Unsqueeze(place, down)
    joints = Add(place4, around)
    seen = Constant<value_floats = [{visibility}]>()
    channels = Constant<value_ints = [1, 3, 1, 1]>()
    seen4 = Reshape(seen, channels)
    first = Constant<value_ints = [0]>()
    second = Constant<value_ints = [1]>()
    xs4 = Slice(joints, first, second, last)
    none = Mul(xs4, zero)
    visible = Add(none, seen4)
    keypoint = Concat<axis = 3>(joints, visible)
"""

_VALUES = """
    people = Constant<value_ints = [0, 3, 51]>()
    values = Reshape(keypoint, people)
"""

_RTMO = "dets = Concat<axis = 2>(low, top, score1)  keypoints = Identity(keypoint)"
_CELLS = """
    two = Constant<value_float = 2.0>()
    edge = Mul(box, two)
    nothing = Mul(place, zero)
    edges = Add(nothing, edge)
    table = Concat<axis = 2>(place, edges, score1, values)
    output0 = Transpose<perm = [0, 2, 1]>(table)
"""
_PEOPLE = "class = Mul(score1, zero)  output0 = Concat<axis = 2>(low, top, score1, class, values)"


def rtmo(shape: str = "N,3,64,96", *, brightest: float = 255.0) -> ModelProto:
    """Outputs as MMDeploy's export of RTMO has them, for pictures of 0 to 255."""
    outputs = "float[A,P,5] dets, float[A,P,17,3] keypoints"
    return _network(shape, outputs, _RTMO, brightest)


def yolo_cells(shape: str = "N,3,64,96") -> ModelProto:
    """The output (N, 56, 3) of YOLO-pose, for pictures of 0 to 1."""
    return _network(shape, "float[A,56,C] output0", _VALUES + _CELLS, 1.0)


def yolo_people(shape: str = "N,3,64,96") -> ModelProto:
    """The output (N, 3, 57) of YOLO-pose without suppression, for pictures of 0 to 1."""
    return _network(shape, "float[A,P,57] output0", _VALUES + _PEOPLE, 1.0)


def network(inputs: str, outputs: str, nodes: str) -> ModelProto:
    """A network from ONNX's textual form."""
    head = '<ir_version: 8, opset_import: ["" : 17, "other": 1]>'
    return onnx.parser.parse_model(f"{head} dots ({inputs}) => ({outputs}) {{ {nodes} }}")


def saved(model: ModelProto, path: Path, **metadata: str) -> Path:
    """The network as a file, with metadata."""
    onnx.helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def _network(shape: str, outputs: str, last: str, brightest: float) -> ModelProto:
    find = _FIND.format(
        half=brightest / 2,
        box=BOX,
        offsets=", ".join(map(str, KEYPOINT_OFFSETS.ravel())),
        visibility=", ".join(map(str, VISIBILITY)),
    )
    return network(f"float[{shape}] pictures", outputs, find + last)
