"""The commands of a student at work, on the small one that the test task trains."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from cross_modal_kd.cli import cli
from cross_modal_kd.cli.default_student import tracking_uri
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.storage import read_csv
from cross_modal_kd.student import StudentModel

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def student(distilled) -> Path:
    return distilled / "06_models" / "test" / "distilled" / "packaged"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, distilled) -> Path:
    """Two test concepts of two artists each, a text and a damaged picture, and a name like a formula."""
    folder = tmp_path_factory.mktemp("pictures")
    samples = pd.read_parquet(distilled / "02_intermediate" / "test" / "samples.parquet")
    rows = samples[(samples["modality"] == "image") & (samples["split"] == "test")]
    raw = pd.read_parquet(PROJECT / "data" / "01_raw" / "emoji" / "images.parquet").set_index(["code", "style"])["png"]
    for label in sorted(rows["label"].unique())[:2]:
        for path in sorted(rows[rows["label"] == label]["path"])[:2]:
            code, style = path.partition("#")[2].split("/")
            (folder / label).mkdir(exist_ok=True)
            (folder / label / f"{style}.png").write_bytes(raw[code, style])
    (folder / "damaged.png").write_bytes(b"\x89PNG and no more")
    (folder / "notes.txt").write_text("no picture")
    first = sorted(folder.glob("*/*.png"))[0]
    (folder / "=cmd.png").write_bytes(first.read_bytes())
    return folder


@pytest.fixture
def call(student):
    """``call("predict", ...)`` on the test student: exit code, what is on the console, and on the error stream."""

    def run(command: str, *words: object, asked: Path | None = student):
        options = [] if asked is None else [f"--student={asked}", "--device=cpu"]
        result = CliRunner().invoke(cli, [command, *map(str, words), *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def whole(pictures: Path) -> list[Path]:
    return sorted(pictures.glob("*/*.png"))


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_predictions_are_a_row_a_file_in_every_format_and_errors_are_rows(call, student, pictures, tmp_path, ending):
    output = tmp_path / "new" / f"found.{ending}"
    code, said, told = call("predict", pictures, pictures / "missing.png", "--top=3", f"--output={output}")
    assert code == 3 and not said and "5 predictions in" in told and "2 could not be read" in told
    read = {"csv": read_csv, "parquet": pd.read_parquet, "jsonl": partial(pd.read_json, lines=True, dtype=False)}
    table = read[ending](output).set_index("file")
    assert len(table) == 7 and not list(output.parent.glob("*.part"))
    assert {"label", "label_2", "label_3", "probability_3", "quality", "poor"} <= set(table.columns)
    failed = table[table["error"].notna()]
    assert set(map(Path, failed.index)) == {pictures / "damaged.png", pictures / "missing.png"}
    assert failed["label"].isna().all() and "no such file" in failed["error"][str(pictures / "missing.png")]
    model = StudentModel.load(student, "cpu")
    for answer in model.predict(whole(pictures), top_k=3):
        row = table.loc[answer.name]
        assert [str(row["label"]), str(row["label_2"])] == [answer.label, answer.top[1][0]]
        assert row["probability"] == pytest.approx(answer.probability, abs=1e-6)
        assert bool(row["poor"]) == answer.quality.poor and row["quality"] == pytest.approx(answer.quality.score)
    if ending == "csv":
        assert "\n=cmd" not in output.read_text() and str(pictures / "=cmd.png") in table.index


def test_the_exit_code_says_whether_all_some_or_nothing_was_read(call, pictures, tmp_path):
    assert call("predict", pictures / whole(pictures)[0].parent)[0] == 0
    assert call("predict", whole(pictures)[0], pictures / "damaged.png")[0] == 3
    code, said, _ = call("predict", pictures / "damaged.png")
    assert code == 1 and "damaged.png: not read: " in said
    (tmp_path / "empty").mkdir()
    code, _, told = call("predict", tmp_path / "empty", f"--output={tmp_path / 'a.csv'}")
    assert code == 1 and "there is no image file in" in told and not list(tmp_path.glob("a.csv*"))
    code, _, told = call("predict", pictures, "--output=found.xlsx")
    assert code == 2 and "ends in .csv, .parquet, .jsonl" in told
    assert call("predict")[0] == 2


def test_what_a_folder_holds_of_other_endings_is_counted(call, pictures, tmp_path):
    folder = tmp_path / "holiday"
    folder.mkdir()
    shutil.copy(whole(pictures)[0], folder / "a.PNG")
    for name in ("a.HEIC", "b.heic", "._a.png", "LIESMICH"):
        (folder / name).write_bytes(b"x")
    (folder / "more").symlink_to(pictures)
    for words in (["predict", folder], ["search", folder / "a.PNG", folder]):
        code, said, told = call(*words)
        assert code == 0 and "._a.png" not in said, told
        assert "4 others passed over, which a student of image does not read: 2 x .heic" in told
        assert "1 x no ending" in told and "1 x a link to a folder" in told
    (folder / "a.PNG").unlink()
    code, _, told = call("predict", folder)
    assert code == 1 and "no image file in it" in told and "2 x .heic" in told
    for place in range(12):  # of more kinds than are named: the numbers still add up
        (folder / f"{place}.{'abcdefg'[place % 7]}").write_bytes(b"x")
    _, _, told = call("predict", folder)
    listed = told.partition("16 others passed over, which a student of image does not read: ")[2].splitlines()[0]
    assert sum(map(int, re.findall(r"(\d+) (?:x|more)", listed))) == 16 and listed.endswith(" and 6 more"), told


def test_a_line_a_file_has_no_control_characters_and_poor_inputs_are_flagged(call, tmp_path):
    from PIL import Image

    dark = Image.new("RGB", (64, 64), (10, 10, 10))
    dark.putpixel((0, 0), (11, 11, 11))  # of one colour it would be refused
    dark.save(tmp_path / "dark\x1b[31m.png")
    code, said, told = call("predict", tmp_path)
    assert code == 0 and "\x1b" not in said and "\\x1b[31m.png: " in said and "POOR: " in said
    assert "nearest label of its training" in told


def test_a_class_that_has_a_code_for_a_label_is_called_by_its_words_in_lines_and_by_the_code_in_tables(
    call, student, pictures, tmp_path
):
    model = StudentModel.load(student, "cpu")
    (file, *_) = whole(pictures)
    items = model.package.teacher.space.items
    best, second = [label for label, _ in model.predict(file, top_k=2).top]
    for label in (best, second):
        assert model.name_of(label) in set(items[items["label"] == label]["text"])
    _, said, _ = call("predict", file, "--top=2")
    assert f": {model.name_of(best)} ({best}) 0." in said and f", {model.name_of(second)} ({second}) 0." in said
    call("predict", file, "--top=2", f"--output={tmp_path / 'found.csv'}")
    row = read_csv(tmp_path / "found.csv").iloc[0]
    assert [str(row["label"]), str(row["label_2"])] == [best, second]
    _, said, _ = call("predict", file, f"--labels={best},{second}")  # words of who asks
    assert f": {best} 0." in said or f": {second} 0." in said


def test_what_was_answered_before_an_error_is_kept_beside_the_old_file(call, pictures, tmp_path, monkeypatch):
    output = tmp_path / "found.csv"
    output.write_text("old\n")
    found = StudentModel.predict

    def interrupted(self, *given, **options):
        yield from list(found(self, whole(pictures), **options))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StudentModel, "predict", interrupted)
    code, _, told = call("predict", pictures, f"--output={output}")
    assert code == 1 and output.read_text() == "old\n"
    assert len(read_csv(tmp_path / "found.csv.part")) == 4 and "found.csv.part" in told and "no space is left" in told


def test_files_are_read_a_batch_at_a_time(call, pictures, tmp_path, monkeypatch):
    read = []
    image = modality_of("image")
    take = type(image).take
    monkeypatch.setattr(type(image), "take", lambda self, *given: read.append(1) or take(self, *given))
    found = StudentModel.predict

    def first(self, *given, **options):
        yield next(found(self, *given, **options))

    monkeypatch.setattr(StudentModel, "predict", first)
    assert call("predict", *whole(pictures) * 5, "--batch-size=2")[0] == 0
    assert len(read) == 2


def test_two_files_are_compared_at_a_threshold_whose_rates_are_said(call, student, pictures):
    one, other = whole(pictures)[:2]
    answer = StudentModel.load(student, "cpu").verify(one, other, "far_0.1")
    code, said, _ = call("verify", one, other, "--at=far10%")
    assert code == 0 and f"score        {answer.score:.4f}" in said
    assert ("accepted: the same" if answer.accepted else "refused: not the same") in said
    assert re.search(r"far_0.1, a score of .*: on dev 10 % of the pairs of two labels .* on test\)", said)
    assert f"probability  {answer.probability:.3f}" in said
    assert json.loads(call("verify", one, other, "--at=min_dcf", "--json")[1])["threshold"] == "min_dcf_01"


def test_what_cannot_be_read_has_a_line_of_json_like_the_others(call, pictures, tmp_path):
    one, damaged, absent = whole(pictures)[0], pictures / "damaged.png", tmp_path / "absent.png"
    book = tmp_path / "book"
    assert call("enroll", "ann", one, f"--book={book}")[0] == 0
    for words, good, bad in (
        (["verify", "--json", one], [one], [damaged]),
        (["verify", "--json"], [one, one], [absent, damaged]),
        (["search", "--json"], [one, pictures], [damaged, pictures]),
        (["search", "--json"], [one, pictures], [absent, pictures]),
        (["search", "--json", one], [pictures], [tmp_path]),  # a folder without a file of its kind
        (["identify", "--json", f"--book={book}"], [one], [damaged]),
    ):
        answer, (code, said, told) = json.loads(call(*words, *good)[1]), call(*words, *bad)
        failed = json.loads(said)
        assert code == 1 and list(failed) == list(answer) and answer["error"] is None, words
        reasons = [failed["error"], *(() if words[0] == "identify" else (told,))]
        for reason in reasons:
            assert all(each.name in reason for each in bad[:1]) or words[0] == "identify", words
    for ending in ("jsonl", "csv"):
        assert call("predict", one, damaged, f"--output={tmp_path / 'found'}.{ending}")[0] == 3
    rows = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert list(rows[0]) == list(rows[1]) and rows[0]["error"] is None and "not a readable image" in rows[1]["error"]
    assert {line.count(",") for line in (tmp_path / "found.csv").read_text().splitlines()} == {len(rows[0]) - 1}


def test_a_table_of_nothing_leaves_no_folder(call, tmp_path):
    (tmp_path / "empty").mkdir()
    assert call("predict", tmp_path / "empty", f"--output={tmp_path / 'a' / 'b' / 'found.csv'}")[0] == 1
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]


def test_a_student_that_was_trained_again_since_is_said_to_be(call, student, pictures, tmp_path):
    for name in ("student", "packaged"):
        shutil.copytree(student.with_name(name), tmp_path / "distilled" / name)
    asked, one = tmp_path / "distilled" / "packaged", whole(pictures)[0]
    newer = "another student has been trained since this one was packaged"
    assert newer not in call("predict", one, asked=asked)[2]  # a copy has other times, and is the same
    shutil.rmtree(tmp_path / "distilled" / "student")
    shutil.copytree(student.parents[1] / "student_alone" / "student", tmp_path / "distilled" / "student")
    for words in (
        ["predict", one],
        ["verify", one, one],
        ["search", one, one],
        ["enroll", "a", one, f"--book={tmp_path}/b"],
    ):
        code, _, told = call(*words, asked=asked)
        assert code == 0 and newer in told and "--pipelines=evaluation,deployment" in told
    (tmp_path / "distilled" / "student" / "config.json").write_text("{")
    assert call("predict", one, asked=asked)[0] == 0  # what is damaged beside it is not its business


@pytest.mark.parametrize("labels", ["dog", "dog,dog", "dog,,cat"])
def test_labels_that_leave_no_choice_are_a_typing_mistake(call, pictures, labels):
    code, _, told = call("predict", whole(pictures)[0], f"--labels={labels}")
    assert code == 2 and "expected two names or more, each once" in told


def test_an_output_over_an_input_is_refused_and_the_input_stays(call, pictures, tmp_path):
    image = tmp_path / "image.csv"
    shutil.copyfile(whole(pictures)[0], image)
    (tmp_path / "link.csv").symlink_to(image)
    for output in (image, tmp_path / "link.csv"):
        code, _, told = call("predict", image, f"--output={output}")
        assert code == 2 and "is one of the files to be read: name another" in told
    assert image.read_bytes() == whole(pictures)[0].read_bytes()


def test_a_name_that_no_file_system_has_and_a_folder_that_is_shut_stop_nothing(call, pictures, tmp_path, monkeypatch):
    shutil.copytree(pictures, tmp_path / "all")
    shut = next(each for each in sorted((tmp_path / "all").iterdir()) if each.is_dir())
    listed = os.scandir

    def refused(path):
        if Path(os.fsdecode(path)) == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr("os.scandir", refused)
    code, said, _ = call("predict", "x" * 300 + ".png", tmp_path / "all")
    assert code == 3 and "xxx.png: not read: the file cannot be read (OSError: File name too long)" in said
    assert f"{shut}: not read: the file cannot be read (PermissionError: Permission denied)" in said
    assert len(said.splitlines()) > 3


def test_a_file_that_is_given_twice_is_enrolled_once(call, pictures, tmp_path):
    one = whole(pictures)[0]
    code, _, told = call("enroll", "one", one, one, one.parent, f"--book={tmp_path / 'book'}")
    assert code == 0 and f"with {len(list(one.parent.iterdir()))} file(s)" in told


def test_asking_mlflow_where_there_is_none_makes_no_database(call, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    code, _, told = call("predict", whole(pictures)[0], asked="models:/nothing@champion")
    assert code == 1 and "there is no MLflow database" in told
    assert not list(tmp_path.iterdir())


def test_a_threshold_that_dev_cannot_bear_is_refused_with_the_reason(call, pictures):
    one, other = whole(pictures)[:2]
    code, said, _ = call("verify", one, other, "--at=far0.1%")
    assert code == 1 and re.search(r"decision     none: no threshold far_0.001: 150 impostor trials on dev, 5000", said)
    code, _, told = call("verify", one, other, "--at=far5%")
    assert code == 2 and "no threshold 'far5%'. There are: eer, min_dcf (min_dcf_01), far10% (far_0.1)" in told
    assert call("verify", one, other, "--at=far0.1")[0] == 2  # of 0.1 % or of 0.1?
    code, _, told = call("verify", one, pictures / "damaged.png")
    assert code == 1 and "damaged.png: " in told


def test_those_who_are_enrolled_are_found_again(call, pictures, tmp_path):
    book = tmp_path / "book"
    folders = sorted(each for each in pictures.iterdir() if each.is_dir())
    for folder in folders:
        code, _, told = call("enroll", folder.name, folder, f"--book={book}")
        assert code == 0 and "is enrolled in" in told and "2 file(s)" in told
        assert [each.name for each in book.parent.iterdir()] == [book.name]  # and no lock beside it
    code, said, told = call("identify", whole(pictures)[0], f"--book={book}", "--at=eer")
    best = re.search(r"\[(\S+) ", said)[1]
    assert code == 0 and best in {folder.name for folder in folders} and "probability" in said
    assert re.search(
        r"with 2 enrolled, a stranger is taken for one of them up to [\d.]+ % of the time, as far as dev and test tell",
        told,
    )
    lines = call("identify", pictures, f"--book={book}", "--json", "--top=1")
    answers = [json.loads(line) for line in lines[1].splitlines()]
    assert lines[0] == 3 and len(answers) == 6 and sum(answer["error"] is not None for answer in answers) == 1
    code, said, told = call("identify", whole(pictures)[0], f"--book={book}", "--at=far0.1%")
    assert code == 1 and "no decision" in said and "5000 are needed" in told


def test_a_name_is_replaced_added_to_listed_and_removed_only_where_it_is_said(call, student, pictures, tmp_path):
    book, (first, *_, last) = tmp_path / "book", whole(pictures)
    on = f"--book={book}"
    assert call("enroll", "ann", first, pictures / "damaged.png", on)[0] == 3
    code, _, told = call("enroll", "ann", last, on)
    assert code == 1 and "already, with 1 file(s): --replace puts" in told
    alone = call("identify", first, on, "--json")[1]
    assert json.loads(alone)["score"] == pytest.approx(1, abs=1e-5)
    assert call("enroll", "ann", last, on, "--add")[0] == 0
    assert 0 < json.loads(call("identify", first, on, "--json")[1])["score"] < 1 - 1e-6
    assert call("enroll", "ann", last, on, "--replace")[0] == 0
    assert json.loads(call("identify", last, on, "--json")[1])["score"] == pytest.approx(1, abs=1e-5)
    assert call("enroll", "--list", on, asked=None)[1] == "ann: 1 file(s)\n"
    for how in (["--remove"], [last, "--add"], [last, "--replace"]):
        code, _, told = call("enroll", "anna", on, *how, asked=None if how[0] == "--remove" else student)
        assert code == 1 and "'anna' is not enrolled" in told and "Did you mean 'ann'" in told
    assert call("enroll", "ann", on, "--remove", asked=None)[0] == 0
    code, _, told = call("identify", first, on)
    assert code == 1 and "nobody is enrolled" in told


def test_a_name_is_one_however_it_is_written_and_shown_without_its_control_characters(call, pictures, tmp_path):
    on, (first, *_, last) = f"--book={tmp_path / 'book'}", whole(pictures)
    assert call("enroll", "Zoe\u0308 ", first, on)[0] == 0
    assert call("enroll", "Zo\u00eb", last, on, "--add")[0] == 0
    assert call("enroll", "\x1b[31mred", last, on)[0] == 0
    _, said, told = call("enroll", "nobody", on, "--remove", asked=None)
    assert "\x1b" not in told and "Zo\u00eb" in told
    assert call("enroll", "--list", on, asked=None)[1].startswith("Zo\u00eb: 2 file(s)\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", ""], "word 1 is empty: is a variable not set"),
        (["enroll", "x", "", "--book=b"], "word 2 is empty"),
        (["verify", "a.png", "b.png", "--at", ""], "--at has no value"),
        (["predict", "a.png", "--labels", ""], "--labels has no value"),
        (["predict", "a.png", "--student="], "--student has no value"),
        (["run", "--env="], "--env has no value"),
        (["compare", ""], "word 1 is empty"),
    ],
)
def test_an_empty_word_is_not_the_current_folder_or_the_default_student(words, message):
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2 and message in result.stderr


def test_a_book_replaces_nothing_that_is_no_book_and_is_of_one_student(call, student, pictures, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").write_bytes(b"dear to me")
    for where in (tmp_path / "mine", tmp_path / "mine" / "photo.png"):
        code, _, told = call("enroll", "ann", whole(pictures)[0], f"--book={where}")
        assert code == 1 and re.search("holds other things|is a file", told)
    assert (tmp_path / "mine" / "photo.png").read_bytes() == b"dear to me"
    code, _, told = call("identify", whole(pictures)[0], f"--book={tmp_path / 'none'}")
    assert code == 1 and "there is no book" in told and "begins one" in told
    alone = student.parents[1] / "student_alone" / "packaged"
    assert call("enroll", "ann", whole(pictures)[0], f"--book={tmp_path / 'book'}", asked=alone)[0] == 0
    for command in (["enroll", "bob"], ["identify"]):
        code, _, told = call(*command, whole(pictures)[0], f"--book={tmp_path / 'book'}")
        assert code == 1 and "another student" in told
    save_file({"vectors": np.ones((1, 3), np.float32)}, tmp_path / "book" / "enrolled.safetensors")
    code, _, told = call("enroll", "--list", f"--book={tmp_path / 'book'}", asked=None)
    assert code == 1 and "enrolled.safetensors" in told


def test_files_are_ranked_by_their_likeness_to_a_file(call, pictures):
    query = whole(pictures)[0]
    code, said, told = call("search", query, pictures, "--top=3")
    lines = said.splitlines()
    assert code == 3 and len(lines) == 3 and "5 files searched" in told and "damaged.png: not read" in told
    scores = [float(line.split()[1]) for line in lines]
    assert scores == sorted(scores, reverse=True) and scores[0] == pytest.approx(1, abs=1e-4)
    found = json.loads(call("search", query, pictures, "--json")[1])
    assert not found["across"] and found["searched"] == 5


@pytest.mark.slow
def test_files_are_found_and_classes_are_named_by_words(call, pictures):
    code, said, told = call("search", "a red heart", pictures, "--top=2")
    assert code == 3 and len(said.splitlines()) == 2 and "through the text that taught" in told
    code, said, told = call("predict", whole(pictures)[0], "--labels=cat, dog,umbrella", "--top=3")
    assert code == 0 and all(word in said for word in ("cat 0.", "dog 0.", "umbrella 0.")) and "note" not in told
    shares = [float(share) for share in re.findall(r" (0\.\d{3})(?=,| \(|\n)", said)]
    assert sum(shares[:3]) == pytest.approx(1, abs=0.002)


def test_words_say_that_they_need_the_text_encoder(call, pictures, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    for words in (["search", "a red heart", pictures], ["predict", pictures, "--labels=cat,dog"]):
        code, _, told = call(*words)
        assert code == 1 and "the student needs it to read words" in told and "Traceback" not in told


def test_the_default_is_the_distilled_student_of_the_task_in_this_project(
    call, distilled, pictures, tmp_path, monkeypatch
):
    for env, lines in {"base": f"task: other\ndata_root: {distilled}\n", "test": "", "local": ""}.items():
        (tmp_path / "conf" / env).mkdir(parents=True)
        (tmp_path / "conf" / env / "globals.yml").write_text(lines)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    code, said, _ = call("predict", whole(pictures)[0], "--env=test", asked=None)
    assert code == 0 and whole(pictures)[0].name in said
    code, _, told = call("predict", pictures, asked=None)
    assert code == 1 and "there is no packaged student of the task 'other'" in told
    assert "`kedro run --pipeline=distill` trains" in told
    code, _, told = call("predict", pictures, "--env=tst", asked=None)
    assert code == 1 and "there is no environment 'tst'. Did you mean 'test'" in told
    (tmp_path / "conf" / "local" / "parameters.yml").write_text("task: {kind: verification}\n")
    assert "of the task 'local'" in call("predict", pictures, asked=None)[2]
    monkeypatch.chdir("/")
    assert "lies in no project" in call("predict", pictures, asked=None)[2]


def test_a_student_that_is_not_there_or_damaged_is_told_in_a_paragraph(call, student, pictures, tmp_path):
    code, _, told = call("predict", pictures, asked=tmp_path / "none")
    assert code == 1 and "none is no folder with a packaged student. `kedro run --pipeline=deployment`" in told
    (tmp_path / "student.json").write_text("{")
    code, _, told = call("predict", pictures, asked=tmp_path)
    assert code == 1 and re.search("student.json is not JSON.* `kedro run --pipeline=deployment`", told)


ALONE = """
import sys
from cross_modal_kd.__main__ import main
try:
    main()
except SystemExit as ended:
    code = ended.code
print("code", code, *sorted(name for name in ("kedro", "mlflow", "optuna", "matplotlib") if name in sys.modules))
"""


@pytest.mark.slow
def test_the_installed_package_answers_without_kedro_and_mlflow(student, pictures, tmp_path):
    command = [sys.executable, "-c", ALONE, "predict", whole(pictures)[0], f"--student={student}"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(PROJECT / "src")}
    )
    assert done.stdout.splitlines()[-1] == "code 0", done.stdout + done.stderr
    assert "%" not in done.stderr and "it/s" not in done.stderr  # no bar where nobody looks


def test_an_address_is_looked_for_where_the_project_tracks_its_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert tracking_uri() is None
    for env, lines in {"base": "experiment: ${globals:task}\ntracking_uri: sqlite:///a.db\n", "local": ""}.items():
        (tmp_path / "conf" / env).mkdir(parents=True)
        (tmp_path / "conf" / env / "mlflow.yml").write_text(lines)
    (tmp_path / "conf" / "base" / "globals.yml").write_text("task: one\n")
    assert tracking_uri() == f"sqlite:///{tmp_path / 'a.db'}"
    (tmp_path / "conf" / "local" / "mlflow.yml").write_text("tracking_uri: http://mlflow.example.org:5000\n")
    assert tracking_uri() == "http://mlflow.example.org:5000"


OF_THE_STUDENT = {  # in a line of the page
    r"^(threshold) +far.*": r"\1",
    r", POOR: [^)]*": "",
    r"(accepted|refused): (not )?the same": "DECISION",
    r": (dog|rocket|fruit) (?=\d)": ": CLASS ",
    r": [a-z ]+ \[\w+ [^,]+, \w+ ": ": NAME [NAMES ",
    r"^ +\d+ +(-?[\d.]+) .*": r"PLACE \1 FILE",
    r"-?\d+(\.\d+)?": "#",
}


def masked(text: str) -> set[str]:
    """The lines of an output without what depends on the student, and its notes."""
    lines = {line for line in text.splitlines() if line and not line.startswith("note: ")}
    for pattern, word in OF_THE_STUDENT.items():
        lines = {re.sub(pattern, word, line) for line in lines}
    return lines


def test_the_page_of_the_commands_shows_what_they_print(call, tmp_path, monkeypatch):
    maker = PROJECT / "docs" / "examples" / "make_pictures.py"
    subprocess.run([sys.executable, str(maker), str(tmp_path / "pictures")], check=True, timeout=60)
    monkeypatch.chdir(tmp_path)
    page = (PROJECT / "docs" / "student.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^\$ cross-modal-kd (.*?)\n(.*?)(?=^\$|^```)", page, re.DOTALL | re.MULTILINE)
    asked = [(shlex.split(command), shown) for command, shown in blocks if not command.startswith("export")]
    assert {words[0] for words, _ in asked} == {"predict", "verify", "enroll", "identify", "search"}
    for words, shown in asked:
        code, said, told = call(*(word.replace("far1%", "far10%") for word in words))  # what this student has
        assert code == (3 if "broken.png" in shown else 0), told
        assert masked(shown) == masked(said + told), words
