"""A run from videos to a model as one HTML file: no scripts, no network, pictures inside.

Everything that comes from outside is escaped, and the page's own security
policy forbids scripts and any request.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.report_style import STYLE

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_CURVE_PX = (560, 180)
_CURVE_MARGIN_PX = 28


@dataclass(frozen=True, slots=True)
class StageRun:
    """One command: what was typed, how long it took, what it said at its end."""

    name: str
    command: str
    seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and what it shows.

    Raises:
        ValueError: the bytes are not a PNG.
    """

    png: bytes
    caption: str

    def __post_init__(self) -> None:
        if not self.png.startswith(b"\x89PNG\r\n\x1a\n"):
            raise ValueError(f"the picture {self.caption!r} is not a PNG")

    @classmethod
    def read(cls, path: Path, caption: str) -> Picture:
        """The picture in the file `path`.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return cls(path.read_bytes(), caption)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """One epoch of the training curve."""

    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class DemoReport:
    """All that the page shows; an empty part is left out."""

    title: str
    introduction: str
    stages: Sequence[StageRun] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Status of a video to how many have it."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What was measured or counted, by its name."""
    poses: Sequence[Picture] = ()
    features: Sequence[Picture] = ()
    curve: Sequence[EpochPoint] = ()
    evaluation: Evaluation | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


def write_report(path: Path, report: DemoReport) -> Path:
    """Write the page; returns `path`.

    Raises:
        EnvironmentFault: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_report(report), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written: {error.strerror or error}; choose another output folder"
        ) from error
    return path


def render_report(report: DemoReport) -> str:
    """The page as text."""
    sections = [
        _cards(report),
        _section("What was done", _stages(report.stages)),
        _section("Videos", _statuses(report.statuses)),
        _section("Poses", _pictures(report.poses)),
        _section("Features", _pictures(report.features)),
        _section("Training", _curve(report.curve)),
        _evaluation(report.evaluation) if report.evaluation else "",
        _section("Figures", _pairs(report.facts)),
        _section("Made with", _pairs(report.versions)),
    ]
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(report.title)}</h1>\n<p class="lead">{escape(report.introduction)}</p>\n'
        f"{body}\n</body>\n</html>\n"
    )


def _cards(report: DemoReport) -> str:
    cards = []
    if report.evaluation is not None:
        cards.append(
            (_percent(report.evaluation.accuracy), f"accuracy on {report.evaluation.subset}")
        )
        cards.append((_percent(report.evaluation.chance), "by chance"))
        cards.append((str(len(report.evaluation.predictions)), f"{report.evaluation.subset} clips"))
        cards.append((str(len(report.evaluation.classes)), "classes"))
    if report.statuses:
        cards.append((str(sum(report.statuses.values())), "videos"))
    if report.stages:
        cards.append((_seconds(sum(stage.seconds for stage in report.stages)), "in all"))
    items = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in cards
    )
    return f'<div class="cards">{items}</div>' if items else ""


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>" if content else ""


def _stages(stages: Sequence[StageRun]) -> str:
    if not stages:
        return ""
    rows = [
        f"<tr><td>{escape(stage.name)}</td><td><code>{escape(stage.command)}</code></td>"
        f'<td class="number">{_seconds(stage.seconds)}</td><td>{escape(stage.summary)}</td></tr>'
        for stage in stages
    ]
    head = '<th>stage</th><th>command</th><th class="number">time</th><th>outcome</th>'
    return _table(head, rows)


def _statuses(statuses: Mapping[str, int]) -> str:
    rows = [
        f'<tr><td>{escape(name)}</td><td class="number">{count}</td></tr>'
        for name, count in statuses.items()
    ]
    return _table('<th>status</th><th class="number">videos</th>', rows) if rows else ""


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = [
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs.items()
    ]
    return _table("", rows) if rows else ""


def _pictures(pictures: Iterable[Picture]) -> str:
    return "\n".join(
        f'<figure><img alt="{escape(picture.caption)}" '
        f'src="data:image/png;base64,{b64encode(picture.png).decode()}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in pictures
    )


def _evaluation(evaluation: Evaluation) -> str:
    title = f"Recognition: {evaluation.model} on {evaluation.split}/{evaluation.subset}"
    return _section(
        title,
        f"<p>{escape(_verdict(evaluation))}</p>\n{_class_bars(evaluation)}\n"
        "<h2>Confusion</h2>\n"
        '<p class="note">Rows: what a clip shows. Columns: what was answered.</p>\n'
        f"{_confusion(evaluation)}",
    )


def _verdict(evaluation: Evaluation) -> str:
    parts = [
        f"{_percent(evaluation.accuracy)} of {len(evaluation.predictions)} clips were recognised; "
        f"guessing gives {_percent(evaluation.chance)}, always naming the most frequent class "
        f"{_percent(evaluation.majority)}. The mean over the classes is "
        f"{_percent(evaluation.mean_class_accuracy)}."
    ]
    if evaluation.num_empty and evaluation.accuracy_without_empty is not None:
        parts.append(
            f"In {evaluation.num_empty} of these nobody was found, and an empty input was scored; "
            f"without them the accuracy is {_percent(evaluation.accuracy_without_empty)}."
        )
    if evaluation.num_unavailable:
        parts.append(f"Not scored, for want of features: {evaluation.num_unavailable} clips.")
    return " ".join(parts)


def _class_bars(evaluation: Evaluation) -> str:
    counts = evaluation.confusion.sum(axis=1)
    rows = []
    for name, share, count in zip(
        evaluation.classes, evaluation.class_accuracies, counts, strict=True
    ):
        figure = "no clips" if share is None else f"{_percent(share)} of {count}"
        rows.append(
            f"<tr><td>{escape(name)}</td>"
            f'<td><div class="track"><i style="width:{100 * (share or 0):.1f}%"></i>'
            f'<u style="left:{100 * evaluation.chance:.1f}%"></u></div></td>'
            f"<td>{figure}</td></tr>"
        )
    note = '<p class="note">By class; the mark is the accuracy of guessing.</p>'
    return f'{note}<div class="scroll"><table class="bars">{"".join(rows)}</table></div>'


def _confusion(evaluation: Evaluation) -> str:
    columns = "".join(f"<th><span>{escape(name)}</span></th>" for name in evaluation.classes)
    rows = []
    for name, counts in zip(evaluation.classes, evaluation.confusion.tolist(), strict=True):
        total = max(sum(counts), 1)
        cells = "".join(_confusion_cell(count, count / total) for count in counts)
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        f'<div class="scroll"><table class="confusion"><thead><tr><th></th>{columns}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _confusion_cell(count: int, share: float) -> str:
    kind = "none" if count == 0 else "most" if share > 0.5 else "some"
    return f'<td class="{kind}" style="--share:{share:.2f}">{count}</td>'


def _curve(points: Sequence[EpochPoint]) -> str:
    """Loss (from 0 to its greatest) and accuracy (from 0 to 1) over the epochs, as SVG."""
    if len(points) < 2:
        return ""
    width, height = _CURVE_PX
    greatest = max(max(point.loss for point in points), 1e-9)
    if not math.isfinite(greatest):
        raise ValueError(f"a training curve needs finite losses, got {greatest}")
    loss = _polyline([point.loss / greatest for point in points], "loss")
    accuracy = _polyline([point.accuracy for point in points], "accuracy")
    last, base = points[-1], height - _CURVE_MARGIN_PX
    return (
        f'<svg class="curve" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="loss and accuracy over the epochs">'
        f'<line x1="{_CURVE_MARGIN_PX}" x2="{width - _CURVE_MARGIN_PX}" y1="{base}" y2="{base}"/>'
        f"{loss}{accuracy}"
        f'<text x="{_CURVE_MARGIN_PX}" y="{height - 10}">epoch 1</text>'
        f'<text x="{width - _CURVE_MARGIN_PX}" y="{height - 10}" text-anchor="end">'
        f"epoch {len(points)}</text>"
        f'<text class="accuracy" x="{width // 2 - 8}" y="18" text-anchor="end">'
        f"accuracy, {_percent(last.accuracy)} at the end</text>"
        f'<text class="loss" x="{width // 2 + 8}" y="18">'
        f"loss, {points[0].loss:.2f} to {last.loss:.2f}</text></svg>"
        '<p class="note">Of the augmented training clips, dropout on.</p>'
    )


def _polyline(shares: Sequence[float], name: str) -> str:
    width, height = _CURVE_PX
    span_x, span_y = width - 2 * _CURVE_MARGIN_PX, height - 2 * _CURVE_MARGIN_PX
    places = " ".join(
        f"{_CURVE_MARGIN_PX + span_x * number / (len(shares) - 1):.1f},"
        f"{height - _CURVE_MARGIN_PX - span_y * share:.1f}"
        for number, share in enumerate(shares)
    )
    return f'<polyline class="{name}" points="{places}"/>'


def _table(head: str, rows: Sequence[str]) -> str:
    header = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{header}<tbody>{"".join(rows)}</tbody></table></div>'


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"
