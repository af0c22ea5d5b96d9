"""``new-task``: what is said of a folder, what is written for it, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from cross_modal_kd import cli
from cross_modal_kd.config import ComputeConfig, TaskConfig
from cross_modal_kd.samples import read_csv
from own_folders import birds, image, image_folder, sound, sounds, table, tar, webdataset

SHORTER = (
    "training.epochs=1,training.min_steps=2,training.batch_size=16,projection.epochs=1,projection.min_steps=2,"
    "evaluation.bootstrap=20,evaluation.train_subset=40"
)


@pytest.fixture
def project(project_path, tmp_path, monkeypatch) -> Path:
    """A project of its own, with the configuration of this one."""
    folder = tmp_path / "project"
    shutil.copytree(project_path / "conf", folder / "conf")
    shutil.copy(project_path / "pyproject.toml", folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def new_task(project):
    """``new_task("birds", folder)``: the exit code, what was said, and what was written (None where nothing was)."""

    def run(name: str, folder: Path, *options: str):
        result = CliRunner().invoke(cli.cli, ["new-task", name, str(folder), *options])
        file = project / "conf" / name / "parameters.yml"
        written = yaml.safe_load(file.read_text(encoding="utf-8")) if result.exit_code == 0 else None
        return result.exit_code, result.output, written

    return run


def test_images_with_captions(new_task, project, tmp_path):
    code, said, written = new_task("birds", birds(tmp_path / "My birds"))
    assert code == 0, said
    assert written["task"] == {
        "title": "Birds", "kind": "classification", "student": "image", "teacher": "text", "pairing": "instance",
    }  # fmt: skip
    assert written["sources"] == {"my_birds": {"layout": "folder", "root": str(tmp_path / "My birds")}}
    assert "inputs" not in written and "without_partner" not in written["ingestion"]
    for line in (
        "96 image samples of 8 labels, 12 to 12 each, about 20 x 20 pixels",
        "96 text samples of 8 labels",
        "can be the student (has encoders to train): image, text\n",
        "can be the teacher: image, text",
        "no domains",
        "pass the checks of a run",
        "next: kedro run --pipeline=distill --env=birds",
    ):
        assert line in said
    found = re.search(
        r"splits of the image files: train (\d+) of 8 labels; dev (\d+) of \d labels; test (\d+) of", said
    )
    assert sum(map(int, found.groups())) == 96
    comments = (project / "conf/birds/parameters.yml").read_text().count("#")
    assert comments > 10


def test_a_split_that_got_far_from_its_share_is_a_note(new_task, tmp_path):
    code, said, _ = new_task("far", birds(tmp_path / "birds", labels=21, files=2), "--kind=verification")
    assert code == 0, said
    test = re.search(r"test \d+ of (\d+) labels", said)[1]
    assert (
        f"note: the split, drawn by a hash of the names, is far from the shares that were asked for: of 21 {''}" in said
    )
    assert f"test {test} ({int(test) / 21:.0%}, asked 30%)" in said


def test_six_labels_dealt_two_by_two_are_a_note(new_task, tmp_path):
    code, said, _ = new_task("few", birds(tmp_path / "birds", labels=6, files=2), "--kind=verification")
    assert code == 0, said
    assert "of 6 labels train 2 (33%, asked 60%), dev 2 (33%, asked 10%), test 2 (33%, asked 30%)" in said


def test_labels_of_one_picture_are_named_in_a_note(new_task, tmp_path):
    root = birds(tmp_path / "birds", labels=8, files=3)
    for number in (1, 2):
        (root / "bird_5" / f"{number}.png").unlink()
    lines = (root / "captions.csv").read_text().splitlines()
    (root / "captions.csv").write_text("\n".join(line for line in lines if line[:8] not in ("bird_5/1", "bird_5/2")))
    code, said, _ = new_task("birds", root)
    assert code == 0 and "note: 1 label has one image sample alone: 'bird_5'; give it more where you can" in said


@pytest.mark.parametrize("options", [(), ("--write-captions",)])
def test_hidden_files_are_told_once(new_task, tmp_path, caplog, options):
    (birds(tmp_path / "birds") / "bird_0" / ".thumbs").mkdir()
    if options:
        (tmp_path / "birds" / "captions.csv").unlink()
    with caplog.at_level("INFO"):
        code, said, _ = new_task("birds", tmp_path / "birds", *options)
    assert code == 0, said
    assert caplog.text.count("1 hidden files or folders") == 1


def test_the_splits_that_are_told_are_those_that_are_drawn(new_task, tmp_path, project_path):
    from cross_modal_kd.config import IngestionConfig, SourcesConfig
    from cross_modal_kd.pipelines.ingestion.nodes import inspect_samples, split_samples
    from cross_modal_kd.sources import read_sources

    _, said, written = new_task("birds", birds(tmp_path / "birds"))
    task = TaskConfig(name="birds", **written["task"])
    sources, ingestion = SourcesConfig(written["sources"]), IngestionConfig(**written["ingestion"])
    listed = read_sources(task, sources, ingestion)
    samples = split_samples(*inspect_samples(*listed[:2], sources, ingestion, ComputeConfig()), task, ingestion).samples
    mine = samples[samples["modality"] == "image"]
    for split, part in mine.groupby("split"):
        assert f"{split} {len(part)} of {part['label'].nunique()} labels" in said


def test_large_pictures_are_seen_larger(new_task, tmp_path):
    _, _, written = new_task("birds", birds(tmp_path / "birds", files=3, side=100))
    assert written["inputs"] == {"image": {"size": 64}}


@pytest.mark.parametrize("within", [True, False])
def test_a_text_for_each_label(new_task, tmp_path, within):
    root = tmp_path / "birds"
    image_folder(root)
    for label in range(8):
        file = root / f"bird_{label}" / "description.txt" if within else root / f"bird_{label}.txt"
        file.write_text(f"=a bird with\n{label} spots\n")
    code, said, _ = new_task("birds", root)
    assert code == 1 and "96 image samples, and nothing of another modality that could teach" in said
    assert "96 texts in a .txt for each label, which --write-captions makes captions.csv of" in said
    assert not (root / "captions.csv").exists()
    code, said, written = new_task("birds", root, "--write-captions")
    assert code == 0 and written["task"]["teacher"] == "text", said
    captions = read_csv(root / "captions.csv", ["path", "text"]).set_index("path")["text"]
    assert len(captions) == 96 and captions["bird_3/11.png"] == "=a bird with 3 spots"


@pytest.mark.parametrize(
    ("form", "text"),
    [("metadata.csv", "caption 7"), ("metadata.jsonl", "caption 7"), (".txt", "caption 7"), (None, "bird 0")],
)
def test_texts_in_other_forms_become_captions_when_asked(new_task, tmp_path, form, text):
    root = tmp_path / "birds"
    paths = image_folder(root)
    if form == "metadata.csv":
        table(root / form, ("file_name", "caption"), [(path, f"caption {n}") for n, path in enumerate(paths)])
    elif form == "metadata.jsonl":
        lines = [json.dumps({"file_name": path, "text": f"caption {n}"}) for n, path in enumerate(paths)]
        (root / form).write_text("\n".join(lines))
    elif form == ".txt":
        for number, path in enumerate(paths):
            (root / path).with_suffix(".txt").write_text(f"caption {number}")
    code, said, written = new_task("birds", root, "--write-captions")
    # the names of labels tell no file of a label from another
    assert code == 0 and written["task"]["pairing"] == ("instance" if form else "label"), said
    assert ("the 96 texts say only 8 different things" in said) == (form is None)
    captions = read_csv(root / "captions.csv", ["path", "text"]).set_index("path")["text"]
    assert captions[paths[7]] == text
    code, said, _ = new_task("again", root, "--write-captions")
    assert code == 0 and "captions.csv: 96 texts" not in said  # a table that is there is left alone


def test_names_of_speakers_as_texts_are_a_caution_in_a_verification(new_task, tmp_path):
    root = sounds(tmp_path / "clips", labels=10, prefix="Anna_")
    code, said, _ = new_task("voices", root, "--write-captions")
    caution = (
        "note: the texts are the labels' own names: where these name people (speakers, say) or are numbers, they tell "
        "the teacher nothing of what is in a speech sample"
    )
    assert code == 0 and "kind: verification" in (Path("conf/voices/parameters.yml")).read_text() and caution in said
    _, said, _ = new_task("commands", root, "--kind=classification")  # where the name is the answer
    assert "labels' own names" not in said
    lines = [line + " speaks softly" for line in (root / "captions.csv").read_text().splitlines()[1:]]
    (root / "captions.csv").write_text("\n".join(["path,text", *lines]))
    code, said, _ = new_task("described", root)
    assert code == 0 and "labels' own names" not in said


@pytest.mark.parametrize("form", ["metadata.csv", "metadata.jsonl"])
def test_metadata_are_found_in_whatever_form_they_write_a_path_and_keep_each_text(new_task, tmp_path, form):
    root = tmp_path / "birds"
    paths = image_folder(root)
    forms = [path.replace("/", "\\") if n % 2 else f"./{path}" for n, path in enumerate(paths)]
    rows = [(path, f"{word}\u2028caption {n}") for n, path in enumerate(forms) for word in ("one", "two")]
    if form == "metadata.csv":
        table(root / form, ("file_name", "caption"), rows)
    else:
        lines = [json.dumps({"file_name": path, "text": text}, ensure_ascii=False) for path, text in rows]
        (root / form).write_text("\n".join(lines), encoding="utf-8")
    code, said, _ = new_task("birds", root, "--write-captions")
    assert code == 0 and f"captions.csv: 192 texts, from {form}" in said, said
    captions = read_csv(root / "captions.csv", ["path", "text"])
    assert captions["text"][captions["path"] == paths[7]].tolist() == ["one caption 7", "two caption 7"]


def test_metadata_of_other_files_do_not_give_way_to_the_labels_names(new_task, tmp_path):
    paths = image_folder(tmp_path / "birds")
    table(tmp_path / "birds" / "metadata.csv", ("file_name", "text"), [(f"pictures/{path}", "x") for path in paths])
    code, said, _ = new_task("birds", tmp_path / "birds", "--write-captions")
    assert (
        code == 1 and "none of its 96 lines names a file in a label folder" in said and "pictures/bird_0/0.png" in said
    )
    assert not (tmp_path / "birds" / "captions.csv").exists()
    lines = [json.dumps({"file_name": path, "text": ["x", "y"]}) for path in paths]
    (tmp_path / "birds" / "metadata.csv").unlink()
    (tmp_path / "birds" / "metadata.jsonl").write_text("\n".join(lines))
    code, said, _ = new_task("birds", tmp_path / "birds", "--write-captions")
    assert code == 1 and "metadata.jsonl, line 1: expected one text, found ['x', 'y']" in said


def test_texts_that_all_say_the_same_are_refused_as_a_teacher(new_task, tmp_path):
    paths = image_folder(tmp_path / "birds")
    table(tmp_path / "birds" / "captions.csv", ("path", "text"), [(path, "a bird") for path in paths])
    code, said, _ = new_task("birds", tmp_path / "birds")
    assert code == 1 and "its 96 texts all say 'a bird', which tells no file and no label from another" in said


def test_lines_that_repeat_change_nothing(new_task, tmp_path):
    root = birds(tmp_path / "birds")
    lines = (root / "captions.csv").read_text().splitlines()
    (root / "captions.csv").write_text("\n".join([*lines, *lines[1:], *lines[1:]]))
    _, said, written = new_task("birds", root)
    assert written["task"]["pairing"] == "instance", said


def test_few_texts_that_are_of_every_label_are_refused_as_a_teacher(new_task, tmp_path):
    paths = image_folder(tmp_path / "birds")
    texts = [(path, f"bird {path[-5]}") for path in paths]
    table(tmp_path / "birds" / "captions.csv", ("path", "text"), texts)
    code, said, _ = new_task("birds", tmp_path / "birds")
    assert code == 1 and "its 96 texts say only 10 different things ('bird 0', 'bird 1'," in said
    assert "they tell neither a file nor a label from another" in said and "tell labels apart" not in said


def test_running_numbers_in_folders_of_two_modalities_bind_no_files(new_task, tmp_path):
    sounds(tmp_path / "all" / "voices")
    for label in range(8):
        for number in range(4):
            image(tmp_path / "all" / "faces" / f"v{label}" / f"{number}.png", label, number)
    _, said, written = new_task("numbered", tmp_path / "all")
    assert written["task"]["pairing"] == "label", said
    for file in sorted((tmp_path / "all").rglob("*.*")):
        file.rename(file.with_stem(f"take{file.stem}"))
    _, said, written = new_task("named", tmp_path / "all")
    assert written["task"]["pairing"] == "instance", said


def test_too_few_faces_for_the_voices_say_what_can_be_done_before_a_task_is_written(new_task, tmp_path):
    sounds(tmp_path / "all" / "voices")
    for place in range(18):
        image(tmp_path / "all" / "faces" / f"f{place // 3}" / f"{place}.png", place // 3, place)
    code, said, _ = new_task("who", tmp_path / "all")
    assert code == 1 and "max_labels" not in said
    assert "6 image labels are too few for 8 of speech. Bring more, take 2 of the speech labels out" in said
    assert "or exchange the two (--student=image)" in said
    assert new_task("who", tmp_path / "all", "--student=image", "--teacher=speech")[0] == 0


@pytest.mark.parametrize(
    ("name", "what"), [("birds.zip", "unpack it"), ("birds.tar.gz", "unpack it"), ("a.png", "name the folder that it")]
)
def test_a_file_in_the_place_of_a_folder_says_so(new_task, tmp_path, name, what):
    (tmp_path / name).write_bytes(b"x")
    code, said, _ = new_task("birds", tmp_path / name)
    assert code == 1 and f"{name} is a file, not a folder with your files: {what}" in said


def test_sounds_and_faces_of_other_people_are_chimeric(new_task, tmp_path):
    sounds(tmp_path / "all" / "voices")
    for label in range(8):
        image(tmp_path / "all" / "faces" / f"f{label}" / "1.png", label, 0)
    code, said, written = new_task("who", tmp_path / "all")
    assert code == 0, said
    assert written["task"] == {
        "title": "Who", "kind": "verification", "student": "speech", "teacher": "image", "pairing": "label",
        "chimeric": True,
    }  # fmt: skip
    assert {name: Path(each["root"]).name for name, each in written["sources"].items()} == {
        "faces": "faces", "voices": "voices",
    }  # fmt: skip
    assert written["inputs"] == {"speech": {"crop_s": 1.0}}
    assert "too few for an interval" in said
    dev = re.search(r"dev \d+ of (\d) labels", said)[1]
    assert f"the dev split holds {dev} labels, and deployment.min_labels is 5: there will be no thresholds" in said


def test_sounds_and_faces_of_the_same_people_are_paired_by_label(new_task, tmp_path):
    sounds(tmp_path / "all" / "voices")
    for label in range(8):
        image(tmp_path / "all" / "faces" / f"v{label}" / "face.png", label, 0)
    _, said, written = new_task("who", tmp_path / "all")
    assert written["task"]["pairing"] == "label" and "chimeric" not in written["task"], said


def test_pairs_by_name_are_found_and_the_lonely_left_out(new_task, tmp_path):
    root = sounds(tmp_path / "clips")
    for label in range(8):
        for number in range(3):  # the fourth sound has none
            image(root / f"v{label}" / f"{number}.png", label, number)
    _, said, written = new_task("clips", root)
    assert written["task"]["pairing"] == "instance", said
    assert written["sources"]["clips"]["options"] == {"group": "stem"}
    assert written["ingestion"]["without_partner"] == "reject"
    alone = re.search(
        r"8 speech files have no image partner: (\d) of training are left out \(ingestion.without_partner: reject\); "
        r"(\d) of dev and test are measured as the others are\n", said,
    )  # fmt: skip
    assert sum(map(int, alone.groups())) == 8, said
    labels = re.search(r"train (\d+) of (\d) labels; dev (\d+) of (\d) labels; test (\d+) of (\d)", said)
    train, of_train, dev, of_dev, test, of_test = map(int, labels.groups())
    assert (train, dev, test) == (3 * of_train, 4 * of_dev, 4 * of_test) and alone[1] == str(of_train)


def test_files_without_a_partner_that_are_measured_alone_are_not_said_to_be_left_out(new_task, tmp_path):
    root = birds(tmp_path / "birds", labels=12, files=4)
    measured = ["bird_2", "bird_3"]
    table(
        root / "splits.csv", ("label", "split"),
        [(f"bird_{n}", "dev" if n < 2 else "test" if n < 4 else "train") for n in range(12)],
    )  # fmt: skip
    lines = (root / "captions.csv").read_text().splitlines()
    (root / "captions.csv").write_text(
        "\n".join(line for line in lines if line[:8] not in [f"{n}/0" for n in measured])
    )
    code, said, _ = new_task("birds", root, "--kind=verification")
    assert code == 0 and "  2 image files have no text partner: 2 of test are measured as the others are\n" in said
    assert "left out" not in said and "splits of the image files: train 32 of 8 labels" in said


def test_samples_without_a_label_that_cannot_be_used_are_told(new_task, tmp_path):
    root = birds(tmp_path / "birds")
    image(root / "unlabelled" / "x.png", 0, 99)
    code, said, _ = new_task("birds", root)
    assert code == 0, said
    assert "1 sample without a label is left out ('unlabelled/x.png: no label, and no text sample beside it" in said


def test_pairs_by_folder(new_task, tmp_path):
    for label in range(8):
        for video in range(3):
            sound(tmp_path / "clips" / f"v{label}" / f"{video}" / "sound.wav", label, video)
            image(tmp_path / "clips" / f"v{label}" / f"{video}" / "frame.png", label, video)
    _, said, written = new_task("clips", tmp_path / "clips")
    assert written["sources"]["clips"]["options"] == {"group": "parent"}, said


def test_what_the_user_says_himself_holds(new_task, tmp_path):
    root = sounds(tmp_path / "clips", labels=9)
    for label in range(9):
        for number in range(4):
            image(root / f"v{label}" / f"{number}.png", label, number)
    _, _, written = new_task("clips", root, "--student=image", "--teacher=speech", "--kind=classification")
    assert {written["task"][key] for key in ("student", "teacher", "kind")} == {"image", "speech", "classification"}
    code, said, _ = new_task("other", root, "--teacher=text")
    assert code == 1 and "--teacher=text, but it holds no text; it holds 36 image samples, 36 speech" in said


def test_labels_one_folder_deeper_are_found(new_task, tmp_path):
    birds(tmp_path / "download" / "images")
    _, said, written = new_task("birds", tmp_path / "download")
    assert written["sources"]["images"]["root"] == str(tmp_path / "download" / "images"), said


def test_a_folder_in_the_project_is_named_from_the_project_on(new_task, project):
    _, _, written = new_task("birds", birds(project / "data" / "01_raw" / "birds"))
    assert written["sources"]["birds"]["root"] == "data/01_raw/birds"


@pytest.mark.parametrize("name", ["it's #1: {x}", "a${b}c", '- ü ["q"]', "back\\slash", "two\nlines"])
def test_any_name_of_a_folder_is_written_so_that_it_is_found_again(new_task, tmp_path, name):
    code, said, written = new_task("birds", birds(tmp_path / name, labels=7, files=3))
    assert code == 0, said  # the checks of a run look for the folder
    assert len(written["sources"]) == 1


def test_images_below_folders_of_splits_keep_them(new_task, tmp_path):
    for split, files in (("train", 6), ("val", 2), ("test", 4)):
        image_folder(tmp_path / "set" / split, files=files)
    paths = sorted(file.relative_to(tmp_path / "set").as_posix() for file in (tmp_path / "set").rglob("*.png"))
    table(tmp_path / "set" / "captions.csv", ("path", "text"), [(path, f"words {path}") for path in paths])
    code, said, written = new_task("birds", tmp_path / "set")
    assert code == 0, said
    assert written["sources"] == {"set": {"layout": "image_folder", "root": str(tmp_path / "set")}}
    assert "splits of the image files: train 48 of 8 labels; dev 16 of 8 labels; test 32 of 8 labels" in said


def test_a_kaldi_directory_is_known_by_its_lists(new_task, tmp_path):
    root = sounds(tmp_path / "set", labels=10, files=4)
    names = [f"v{label}/{number}.wav" for label in range(10) for number in range(4)]
    (root / "wav.scp").write_text("".join(f"{name[:-4].replace('/', '-')} {name}\n" for name in names))
    (root / "utt2spk").write_text("".join(f"{name[:-4].replace('/', '-')} {name[:2]}\n" for name in names))
    (root / "text").write_text("".join(f"{name[:-4].replace('/', '-')} words of {name}\n" for name in names))
    code, said, written = new_task("voices", root)
    assert code == 0, said
    assert written["sources"] == {"set": {"layout": "kaldi", "root": str(root), "options": {"texts": True}}}
    assert (written["task"]["student"], written["task"]["pairing"]) == ("speech", "instance")


def test_a_folder_of_hugging_face_is_known_by_its_labels(new_task, tmp_path):
    paths = image_folder(tmp_path / "set")
    rows = [(path, path[:6], f"words {path}") for path in paths]
    table(tmp_path / "set" / "metadata.csv", ("file_name", "label", "caption"), rows)
    code, said, written = new_task("birds", tmp_path / "set")
    assert code == 0, said
    assert written["sources"]["set"]["layout"] == "hf_folder"
    assert written["sources"]["set"]["options"] == {"text": "caption"}


def test_a_table_is_offered_and_read_as_it_is_said(new_task, tmp_path):
    root = tmp_path / "pairs"
    rows = [(f"all/{label}-{n}.png", f"words {label} {n}", f"kind {label}") for label in range(8) for n in range(12)]
    for path, _, label in rows:
        image(root / path, int(label[-1]), len(path))
    table(root / "pairs.csv", ("picture", "words", "species"), rows)
    offered = "--layout=table --options='{file: pairs.csv, columns: {image: COLUMN, text: COLUMN, label: COLUMN}}'"
    for words in ([], ["--write-captions"]):
        code, said, _ = new_task("birds", root, *words)
        assert code == 1 and f"It holds pairs.csv with the columns picture, words, species: {offered}" in said
        assert not (root / "captions.csv").exists()  # of one label's name
    options = {"file": "pairs.csv", "columns": {"image": "picture", "text": "words", "label": "species"}}
    code, said, written = new_task("birds", root, "--layout=table", f"--options={json.dumps(options)}")
    assert code == 0 and "a column of them, named in the source's options, would let" in said, said
    assert written["sources"]["pairs"] == {"layout": "table", "root": str(root), "options": options}
    assert written["task"]["pairing"] == "instance" and "domains.csv" not in said
    for words, message in (
        (["--layout=tabel"], "unknown layout 'tabel'"),
        (["--layout=table"], "options (layout table): file"),
        (["--options={file: x}"], "name one (--layout)"),
        (["--layout=table", "--options={file"], "cannot be read as YAML"),
        (["--layout=table", "--options=x"], "expected a mapping"),
    ):
        code, said, _ = new_task("again", root, *words)
        assert code and message in said, said


def test_metadata_whose_label_has_another_name_are_offered(new_task, tmp_path):
    for part in ("train", "test"):
        rows = [(f"{n}.png", f"kind {n % 4}", f"caption {n}") for n in range(40)]
        for path, label, _ in rows:
            image(tmp_path / "set" / part / path, int(label[-1]), len(part))
        table(tmp_path / "set" / part / "metadata.csv", ("file_name", "species", "caption"), rows)
    code, said, _ = new_task("birds", tmp_path / "set")
    assert code == 1 and "metadata.csv with the columns file_name, species, caption: --layout=hf_folder" in said
    options = "--options={label: species, text: caption}"
    code, said, written = new_task("birds", tmp_path / "set", "--layout=hf_folder", options)
    assert code == 0 and written["sources"]["set"]["options"] == {"label": "species", "text": "caption"}, said


def test_a_webdataset_is_known_by_its_tars(new_task, tmp_path):
    code, said, written = new_task("birds", webdataset(tmp_path / "set"))
    assert code == 0, said
    assert written["sources"] == {"set": {"layout": "webdataset", "root": str(tmp_path / "set")}}
    assert written["task"] == {
        "title": "Birds", "kind": "classification", "student": "image", "teacher": "text", "pairing": "instance",
    }  # fmt: skip
    assert "96 image samples of 8 labels, 12 to 12 each, about 20 x 20 pixels" in said
    assert "by instance: image and text of one row or name belong together" in said


def test_a_webdataset_whose_words_stand_in_its_json(new_task, tmp_path):
    code, said, written = new_task("birds", webdataset(tmp_path / "set", texts="caption"))
    assert code == 0, said
    assert written["sources"]["set"]["options"] == {"columns": {"text": "caption"}}
    assert "96 text samples of 8 labels" in said


def test_a_webdataset_of_sounds_and_pictures_that_says_its_splits(new_task, tmp_path):
    for split, files in (("train", 6), ("val", 2), ("test", 4)):
        members = {}
        for label, number in ((label, number) for label in range(8) for number in range(files)):
            sound(tmp_path / "x.wav", label, number)
            image(tmp_path / "x.png", label, number)
            key = f"{label}-{number}"
            for ending in ("png", "wav"):
                members[f"{key}.{ending}"] = (tmp_path / f"x.{ending}").read_bytes()
            members[f"{key}.json"] = json.dumps({"label": label}).encode()
        tar(tmp_path / "set" / f"{split}-000000.tar", members)
    code, said, written = new_task("voices", tmp_path / "set", "--kind=classification")
    assert code == 0, said
    task = written["task"]
    assert (task["student"], task["teacher"], task["pairing"]) == ("speech", "image", "instance")
    assert "splits of the speech files: train 48 of 8 labels; dev 16 of 8 labels; test 32 of 8 labels" in said


@pytest.mark.slow
def test_from_a_webdataset_to_a_report(project, tmp_path, tracking_uri):
    """The commands of the page, as somebody types them, with a shorter training; nothing is unpacked."""
    root = webdataset(tmp_path / "birds")
    there = sorted(root.iterdir())
    for words in (["new-task", "birds", str(root)], ["--pipelines=distill", "--env=birds", f"--params={SHORTER}"]):
        done = subprocess.run([sys.executable, "-m", "cross_modal_kd", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    samples = pd.read_parquet(project / "data/02_intermediate/birds/samples.parquet")
    assert samples["path"].dropna().str.match(r"birds-00000[01]\.tar#bird_\d/\d{3}\.png$").all()
    assert samples["modality"].value_counts().to_dict() == {"image": 96, "text": 96}
    measured = json.loads((project / "data/08_reporting/birds/metrics.json").read_text())
    assert measured["protocol"]["test_samples"] == (samples[samples["modality"] == "image"]["split"] == "test").sum()
    assert "top1" in measured["distilled"] and (project / "data/08_reporting/birds/report.html").is_file()
    assert sorted(root.iterdir()) == there


def _nothing(_: Path) -> None:
    pass


def _empty(root: Path) -> None:
    root.mkdir()


def _flat(root: Path) -> None:
    image(root / "a.png", 0, 0)


def _others(root: Path) -> None:
    (root / "a").mkdir(parents=True)
    (root / "a" / "1.docx").write_text("")


def _others_of_many_kinds(root: Path) -> None:
    (root / "a").mkdir(parents=True)
    for ending in "bcdefgh":
        (root / "a" / f"1.{ending}").write_text("")


def _splits(root: Path) -> None:
    for split in ("train", "val"):
        sound(root / split / "bird" / "1.wav", 0, 0)


def _one_label(root: Path) -> None:
    birds(root, labels=1)


def _few(root: Path) -> None:
    birds(root, labels=3, files=1)


def _one_each(root: Path) -> None:
    birds(root, labels=30, files=1)


def _wrong_captions(root: Path) -> None:
    birds(root)
    (root / "captions.csv").write_text("path,words\nbird_0/0.png,a\n")


def _captions_of_nothing(root: Path) -> None:
    birds(root)
    (root / "captions.csv").write_text("path,text\nbird_0/99.png,a\n")


def _packed(root: Path) -> None:
    root.mkdir()
    (root / "train-0.tar.gz").write_bytes(b"x")


def _shards_of_wespeaker(root: Path) -> None:
    tar(root / "shards_0.tar", {"a.wav.spk": b"a", "a.wav.wav": b"x"})


def _cut_tar(root: Path) -> None:
    file = tar(root / "0.tar", {"a.jpg": b"x" * 2000})
    file.write_bytes(file.read_bytes()[:1000])


def _pictures_in_a_tar(root: Path) -> None:
    image(root.parent / "a.png", 0, 0)
    tar(root / "0.tar", {"a.png": (root.parent / "a.png").read_bytes()})


def _texts_alone(root: Path) -> None:
    (root / "a").mkdir(parents=True)
    (root / "a" / "1.txt").write_text("words")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_nothing, "there is no such folder"),
        (_empty, r"no file of a modality that is read \(image: .png.*it is empty"),
        (_flat, r"1 file lies in it and none in a folder of its label.*a.png.*Make a folder for each label"),
        (_others, r"it has 1 other \(1 x .docx\)"),
        (_others_of_many_kinds, r"it has 7 others \((1 x .\w, ){4}1 x .\w and 2 more\)"),
        (_splits, r"its folders are splits \('train', 'val'\).*Put the label first"),
        (_one_label, "not enough for a task yet.*as classification: one-class set.*as verification: "),
        (_few, "not enough for a task yet.*as verification: .*as classification: the dev split is empty"),
        (_one_each, "not enough for a task yet.*as verification: each of the .* has one image sample"),
        (_wrong_captions, r"captions.csv: expected the column\(s\) 'text', found"),
        (_captions_of_nothing, "caption of a file that is missing: 'bird_0/99.png'"),
        (_packed, r"'train-0.tar.gz'; members of a compressed tar cannot be read in place: unpack each to a .tar"),
        (_shards_of_wespeaker, "found a shard of WeSpeaker.*write the tars' paths into shard.list"),
        (
            _cut_tar,
            "0.tar: not a readable tar file .its member 'a.jpg' of 2,000 bytes would end at byte 2,512 of 1,000",
        ),
        (_pictures_in_a_tar, "nothing of another modality that could teach: put it beside each under the same key"),
        (_texts_alone, r"no file of a modality that is read.*1 x .txt"),
    ],
)
def test_a_broken_folder_is_told_in_words_and_nothing_is_written(new_task, project, tmp_path, make, message):
    make(tmp_path / "birds")
    code, said, _ = new_task("birds", tmp_path / "birds")
    assert code == 1 and re.search(message, said, re.DOTALL), said
    assert "Traceback" not in said and not (project / "conf" / "birds").exists()


def more(root: Path, count: int) -> Path:
    """Captioned pictures without a label beside ``birds(root)``."""
    birds(root, labels=24, files=3)
    rows = [line.split(",", 1) for line in (root / "captions.csv").read_text().splitlines()[1:]]
    for number in range(count):
        image(root / "Unlabelled" / f"{number}.png", number % 24, 50 + number)
        rows.append([f"Unlabelled/{number}.png", f"some bird {number}"])
    table(root / "captions.csv", ("path", "text"), rows)
    return root


def test_a_new_task_starts_from_what_its_share_of_labels_asks_for(new_task, project, tmp_path):
    """All, few and none: the arms and their values are those of the environments in which they were searched."""
    _, said, written = new_task("all", birds(tmp_path / "a", labels=24, files=3))
    assert written["distillation"] == {"arm": "soft_both_quality"} and "arms" not in written, said
    assert "training samples have a label: the arm of conf/base" in said

    _, said, written = new_task("some", more(tmp_path / "b", 10))
    assert written["sources"]["b"]["options"] == {"unlabelled": "Unlabelled"}
    assert written["distillation"] == {"arm": "soft_both_quality"}, said

    code, said, written = new_task("few", more(tmp_path / "c", 120))
    known = yaml.safe_load((project / "conf/few_labels/parameters.yml").read_text())
    assert code == 0 and "and 120 without one" in said, said
    assert written["distillation"] == {"baseline": "none", "arm": known["distillation"]["arm"]}
    assert written["arms"] == {"soft_contrast": known["arms"]["soft_contrast"]}
    assert written["projection"] == known["projection"] == {"unlabelled": True}
    text = (project / "conf/few/parameters.yml").read_text()
    assert "docs/results/label_directions.md" in text and re.search(
        r"# \d+ of \d+ training samples have a label: few", text
    )

    code, said, written = new_task("classes", more(tmp_path / "d", 120), "--kind=classification")
    known = yaml.safe_load((project / "conf/label_image_named/parameters.yml").read_text())
    assert code == 0 and written["distillation"]["arm"] == "soft_classifier", said
    assert written["arms"] == {"soft_classifier": known["arms"]["soft_classifier"]}
    assert written["projection"] == known["projection"] and known["projection"]["words"], said
    assert "and the names of the classes, where the teacher reads them" in said
    turned = ("--kind=classification", "--student=text", "--teacher=image")
    code, said, written = new_task("deaf", more(tmp_path / "g", 120), *turned)
    assert code == 0 and written["projection"] == {"unlabelled": True}, "nobody reads the names"

    root = more(tmp_path / "e", 30)
    table(root / "splits.csv", ("label", "split"), [(f"bird_{n}", ["dev", "test"][n % 2]) for n in range(24)])
    code, said, written = new_task("none", root)
    known = yaml.safe_load((project / "conf/no_labels/parameters.yml").read_text())
    assert code == 0 and written["distillation"] == {"baseline": "simclr", "arm": "soft_contrast"}, said
    assert written["arms"] == known["arms"] and "0 of 30 training samples have a label: the pairs teach alone" in said

    root = more(tmp_path / "f", 30)
    files = [(f"bird_{label}/{n}.png", ["dev", "test"][n % 2]) for label in range(24) for n in range(3)]
    table(root / "splits.csv", ("path", "split"), files)
    code, said, written = new_task("named", root, "--kind=classification")
    known = yaml.safe_load((project / "conf/no_labels_image/parameters.yml").read_text())
    assert code == 0 and written["distillation"] == {"baseline": "hard_feature", "arm": "soft_classifier"}, said
    assert written["arms"] == known["arms"] and "the names of the classes, as the teacher reads them" in said
    code, said, _ = new_task("turned", root, "--kind=classification", "--student=text", "--teacher=image")
    assert code == 1 and "but a teacher of modality image reads none" in said, said


def test_damaged_files_are_counted_each_and_are_no_samples(new_task, tmp_path):
    root = sounds(tmp_path / "clips", labels=10, files=6)
    for file in sorted(root.glob("*/*.wav")):
        image(file.with_suffix(".png"), int(file.parent.name[1]), int(file.stem))
    _, said, _ = new_task("whole", root)
    assert "unreadable" not in said and "cannot be used" not in said
    whole = (root / "v4" / "3.wav").read_bytes()
    broken = {"v1/1.wav": b"no sound", "v2/1.wav": b"", "v3/3.wav": whole[:20], "v4/3.wav": whole[:2000]}
    for path, content in broken.items():
        (root / path).write_bytes(content)
    (root / "v0" / "0.png").write_bytes(b"no picture")
    code, said, _ = new_task("clips", root)
    assert code == 0, said
    assert "56 speech samples of 10 labels, 5 to 6 each" in said and "59 image samples of 10 labels" in said
    assert "unreadable: 1 of 60 image files ('v0/0.png: " in said
    assert re.search(r"unreadable: 4 of 60 speech files \('v1/1.wav: .*', 'v2/1.wav: .*' and 2 more\)", said)
    assert "max_rejected_share" not in said  # 5 of 120
    for number in range(2, 5):
        (root / "v5" / f"{number}.wav").write_bytes(b"no sound")
    _, said, _ = new_task("more", root)
    assert "6.7% of the samples of clips cannot be used, and a run stops at more than 5%" in said


def test_files_that_lie_in_no_folder_of_a_label_are_told(new_task, tmp_path):
    root = birds(tmp_path / "birds", labels=8, files=4)
    for name in ("a.png", "b.png"):
        image(root / name, 0, ord(name[0]))
    code, said, _ = new_task("birds", root)
    assert code == 0, said
    assert (
        "  2 files lie beside the label folders and in none of them, and so without a label ('a.png' and 1 more)"
        in said
    )
    assert "2 samples without a label are left out ('a.png: no label, and no text sample beside it" in said
    (root / "b.png").unlink()
    with (root / "captions.csv").open("a") as stream:
        stream.write("a.png,a bird of which nobody knows\n")
    _, said, _ = new_task("captioned", root)
    assert "1 file lies beside the label folders" in said and "left out" not in said


@pytest.mark.parametrize("one", [True, False])
def test_files_above_the_folders_that_are_read_are_told(new_task, tmp_path, one):
    root = tmp_path / "all"
    if one:
        birds(root / "images")
        (root / "domains.csv").write_text("label,domain\n")
        image(root / "a.png", 0, 0)
        expected = "not used: 2 files lie outside of the folders above ('a.png' and 1 more)"
    else:
        sounds(root / "voices")
        for label in range(8):
            image(root / "faces" / f"v{label}" / "face.png", label, 0)
        image(root / "a.png", 0, 0)
        expected = "not used: 1 file lies outside of the folders above ('a.png')"
    code, said, _ = new_task("task", root)
    assert code == 0 and expected in said, said


def test_of_many_or_large_files_some_are_looked_into(new_task, tmp_path, monkeypatch):
    root = birds(tmp_path / "birds", labels=6, files=8)
    (root / "bird_0" / "0.png").write_bytes(b"no picture")
    for limit in ({"MOST": 24}, {"BYTES": 100}):
        with monkeypatch.context() as fewer:
            for name, value in limit.items():
                fewer.setattr(f"cross_modal_kd.new_task.survey.{name}", value)
            _, said, _ = new_task(f"birds_{next(iter(limit))}", root)
        assert "unreadable, of those looked into: 1 of 24 image files ('bird_0/0.png: " in said


def test_where_nothing_can_be_read_it_says_so(new_task, tmp_path):
    root = birds(tmp_path / "birds", labels=6, files=4)
    for file in root.glob("*/*.png"):
        file.write_bytes(b"no picture")
    code, said, _ = new_task("birds", root)
    assert code == 1 and "none of the 24 files that were looked into can be read; the first, bird_0/0.png: " in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("face_speech", "conf/face_speech is there already and stays as it is"),
        ("base", "neither base nor local), found 'base'"),
        ("../up", "neither of the last two at its beginning"),
        ("vögel", "expected letters from a to z or A to Z, digits"),
        ("concept_verification", "which is the name of another task, that of conf/base"),
    ],
)
def test_nothing_is_written_over(new_task, project, tmp_path, name, message):
    before = sorted((file, file.stat().st_mtime_ns) for file in (project / "conf").rglob("*"))
    code, said, _ = new_task(name, birds(tmp_path / "birds"))
    assert code == 1 and message in said
    after = sorted((file, file.stat().st_mtime_ns) for file in (project / "conf").rglob("*"))
    assert [file for file, _ in after] == [file for file, _ in before]


def test_elsewhere_than_in_a_project_it_says_so(new_task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said, _ = new_task("birds", birds(tmp_path / "birds"))
    assert code == 1 and "there is no conf/base here" in said


@pytest.mark.slow
def test_from_a_folder_to_a_table_of_samples(project, tmp_path, tracking_uri):
    """As the installed package does it; tests/docs runs all stages by the commands of the page."""
    root = birds(tmp_path / "birds")
    for words in (["new-task", "birds", str(root)], ["--pipelines=ingestion", "--env=birds"]):
        done = subprocess.run([sys.executable, "-m", "cross_modal_kd", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    samples = pd.read_parquet(project / "data/02_intermediate/birds/samples.parquet")
    assert set(samples["modality"]) == {"image", "text"} and set(samples["split"]) == {"train", "dev", "test"}
