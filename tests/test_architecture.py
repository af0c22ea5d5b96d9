"""The picture of the house, the page beside it and the imports say the same."""

import draw_architecture as drawing
import pytest

HOUSE = drawing.House(
    rows=[["top"], ["left", "right"], ["bottom"]],
    arrows={("top", "left"), ("top", "right"), ("top", "bottom"), ("left", "bottom"), ("right", "bottom")},
)


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
