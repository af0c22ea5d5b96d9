"""The picture of the house, the page beside it and the imports say the same."""

import subprocess
import sys
from pathlib import Path

import draw_architecture as drawing
import pytest

PROJECT = Path(__file__).parents[1]
HOUSE = drawing.House(
    rows=[["top"], ["left", "right"], ["bottom"]],
    arrows={("top", "left"), ("top", "right"), ("top", "bottom"), ("left", "bottom"), ("right", "bottom")},
)


def test_the_picture_shows_the_arrows_that_there_are():
    command = [sys.executable, PROJECT / "scripts" / "draw_architecture.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(PROJECT / "src")})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_tells_of_every_room():
    page = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [room for row in drawing.read_house().rows for room in row]
    assert rooms
    assert not [room for room in rooms if f"| `{room}` |" not in page]


def test_an_arrow_that_is_new_or_gone_is_told(tmp_path):
    picture = tmp_path / "picture.svg"
    picture.write_text(drawing.draw(HOUSE))
    assert not drawing.differences(picture, HOUSE.arrows)
    changed = HOUSE.arrows - {("top", "bottom")} | {("left", "right")}
    assert drawing.differences(picture, changed) == ["gone: top -> bottom", "new: left -> right"]
    assert len(drawing.differences(tmp_path / "none.svg", HOUSE.arrows)) == len(HOUSE.arrows)


def test_an_arrow_that_follows_from_others_is_not_drawn_and_boxes_keep_apart():
    layout = drawing.lay_out(HOUSE)
    assert {(chain[0], chain[-1]) for chain in layout.chains} == HOUSE.arrows - {("top", "bottom")}
    left, right = sorted((layout.x[room], layout.widths[room]) for room in ("left", "right"))
    assert right[0] - left[0] >= (left[1] + right[1]) / 2 + drawing.GAP - 1e-9


def test_an_arrow_upward_is_refused():
    house = drawing.House([["top"], ["bottom"]], {("bottom", "top")})
    with pytest.raises(ValueError, match=r"do not go down.*\('bottom', 'top'\)"):
        drawing.check_direction(house)
