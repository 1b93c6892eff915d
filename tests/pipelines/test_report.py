"""The report: one file, everything in it escaped, nothing fetched from elsewhere."""

import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_predictions import answers

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.drawing import blank, png_bytes
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.report import (
    DemoReport,
    EpochPoint,
    Picture,
    StageRun,
    render_report,
    write_report,
)

EVIL = "<script>alert('x')</script>&\""
PNG = png_bytes(blank(4, 6, (1, 2, 3)))
VOID = {"meta", "img", "line", "polyline"}


EVALUATION = Evaluation(
    answers(
        chosen=[0, 0, 1, 1],
        labels=[0, 0, 0, 1],
        num_classes=2,
        classes=(EVIL, "nod"),
        empty=[False, False, False, True],
        num_unavailable=3,
    )
)
FULL = DemoReport(
    title=EVIL,
    introduction=EVIL,
    stages=[StageRun(EVIL, f"posemill index {EVIL}", 12.34, EVIL), StageRun("b", "c", 200.0, "d")],
    statuses={EVIL: 5, "empty": 2},
    facts={EVIL: EVIL},
    poses=[Picture(PNG, EVIL)],
    features=[Picture(PNG, "PoTion")],
    curve=[EpochPoint(2.0, 0.25), EpochPoint(1.0, 0.5), EpochPoint(0.5, 1.0)],
    evaluation=EVALUATION,
    versions={EVIL: EVIL},
)


class Page(HTMLParser):
    """Checks that tags nest, and collects tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_everything_from_outside_is_escaped() -> None:
    page = Page(render_report(FULL))
    assert "script" not in {tag for tag, _ in page.tags}
    # title and heading, introduction, three of a stage, a status, two facts, a caption, two
    # versions, and the class in the bars and twice in the confusion table:
    assert page.text.count(EVIL) == 2 + 1 + 3 + 1 + 2 + 1 + 2 + 3
    assert [found["alt"] for tag, found in page.tags if tag == "img"] == [EVIL, "PoTion"]


def test_nothing_is_fetched_from_elsewhere() -> None:
    text = render_report(FULL)
    page = Page(text)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert not {"link", "script", "iframe", "a"} & {tag for tag, _ in page.tags}
    sources = [found["src"] for tag, found in page.tags if tag == "img"]
    assert sources == [f"data:image/png;base64,{b64encode(PNG).decode()}"] * 2
    policies = [found["content"] for tag, found in page.tags if "http-equiv" in found]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_figures_stand_in_the_page() -> None:
    text = Page(render_report(FULL)).text
    # 3 of 4 right; classes 2/3 and 1/1: (2/3 + 1) / 2 = 83.3%; without the empty clip 2 of 3.
    assert "75.0% of 4 clips were recognised; guessing gives 50.0%" in text
    assert "most frequent class 75.0%" in text
    assert "mean over the classes is 83.3%" in text
    assert "In 1 of these nobody was found" in text
    assert "without them the accuracy is 66.7%" in text
    assert "for want of features: 3 clips" in text
    assert "66.7% of 3" in text
    assert "12.3 s" in text
    assert "3.3 min" in text  # 200 s


def test_confusion_cells_are_shaded_by_their_share() -> None:
    cells = re.findall(
        r'<td class="(\w+)" style="--share:([\d.]+)">(\d+)</td>', render_report(FULL)
    )
    assert cells == [
        ("most", "0.67", "2"),
        ("some", "0.33", "1"),
        ("none", "0.00", "0"),
        ("most", "1.00", "1"),
    ]


def test_the_curve_runs_from_edge_to_edge() -> None:
    points = re.findall(r'class="(\w+)" points="([^"]+)"', render_report(FULL))
    # 560 x 180 px with a margin of 28: x from 28 to 532, y from 152 (zero) up to 28.
    assert dict(points) == {
        "loss": "28.0,28.0 280.0,90.0 532.0,121.0",
        "accuracy": "28.0,121.0 280.0,90.0 532.0,28.0",
    }
    with pytest.raises(ValueError, match="finite losses"):
        render_report(DemoReport("t", "i", curve=[EpochPoint(float("nan"), 0.0)] * 2))


def test_empty_parts_are_left_out() -> None:
    page = Page(render_report(DemoReport("title", "introduction")))
    assert [tag for tag, _ in page.tags if tag in ("section", "table", "img", "svg")] == []
    assert "introduction" in page.text


def test_it_is_written_as_one_file(tmp_path: Path) -> None:
    path = write_report(tmp_path / "new" / "report.html", FULL)
    assert path.read_text("utf-8") == render_report(FULL)
    assert [found.name for found in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_report(path / "report.html", FULL)


def test_only_pngs_are_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    assert Picture.read(tmp_path / "a.png", "a").png == PNG
    with pytest.raises(InputError, match=r"b\.png cannot be read: No such file"):
        Picture.read(tmp_path / "b.png", "b")
    with pytest.raises(ValueError, match="'c' is not a PNG"):
        Picture(b"<svg onload=alert(1)>", "c")
