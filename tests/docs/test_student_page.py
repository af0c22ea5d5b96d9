"""The script that writes the pages of the student leaves them as they are where it cannot write both."""

import pytest
import student_page

PAGE = "```\n$ {} a\n```\n"


@pytest.fixture
def pages(tmp_path, monkeypatch, project_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "examples").symlink_to(project_path / "docs" / "examples")
    (tmp_path / "data" / "01_raw").mkdir(parents=True)
    (tmp_path / "data" / "01_raw" / "emoji").symlink_to(project_path / "data" / "01_raw" / "emoji")
    found = tmp_path / "docs" / "student.md", tmp_path / "docs" / "export.md"
    monkeypatch.setattr(student_page, "HERE", tmp_path)
    monkeypatch.setattr(student_page, "PAGES", found)
    return found


def test_without_exported_programs_it_says_what_writes_them_before_any_command(pages):
    for page in pages:
        page.write_text(PAGE.format("touch done"))
    with pytest.raises(SystemExit, match="kedro run --pipeline=deployment"):
        student_page.main()
    assert all(page.read_text() == PAGE.format("touch done") for page in pages)


@pytest.mark.parametrize("second", ["echo", "false"])
def test_both_pages_are_written_or_none(pages, tmp_path, second):
    (tmp_path / "data/06_models/concept_verification/distilled/exported").mkdir(parents=True)
    for page, command in zip(pages, ("echo", second), strict=True):
        page.write_text(PAGE.format(command))
    if second == "echo":
        student_page.main()
        assert {page.read_text() for page in pages} == {"```\n$ echo a\na\n```\n"}
    else:
        with pytest.raises(SystemExit, match="false a: exit code 1"):
            student_page.main()
        assert pages[0].read_text() == PAGE.format("echo")
