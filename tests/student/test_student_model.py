"""The student at work: on the small student of `distill`, what it answers for bytes, arrays, files and words."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from cross_modal_kd.config import SourcesConfig
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import library_of
from cross_modal_kd.samples import Roots, UnreadableSampleError, load_table
from cross_modal_kd.student import Enrolled, StudentError, StudentModel, load_package, save_package
from cross_modal_kd.student.space import Space
from cross_modal_kd.student.strangers import rate_of_any
from cross_modal_kd.tasks import kind_of

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(distilled):
    return distilled / "06_models" / "test" / "distilled" / "packaged"


@pytest.fixture(scope="module")
def student(folder):
    return StudentModel.load(folder, device="cpu", batch_size=16)


@pytest.fixture(scope="module")
def rows(distilled):
    (file,) = distilled.glob("0*/test/samples.parquet")
    samples = pd.read_parquet(file)
    return samples[(samples["modality"] == "image") & (samples["split"] != "train")].reset_index(drop=True)


@pytest.fixture(scope="module")
def contents(rows):
    sources = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text(encoding="utf-8"))["sources"]
    roots = Roots(SourcesConfig(sources), PROJECT)
    return [roots.bytes(row.source, row.path) for row in rows.itertuples()]


@pytest.fixture(scope="module")
def evaluated(distilled, rows):
    """Unit embeddings of the rows, as evaluation has them."""
    table = load_table(distilled / "07_model_output" / "test" / "distilled" / "embeddings")
    return unit_rows(table.at(rows["sample_id"]))


def test_embeddings_are_those_that_were_evaluated(student, contents, evaluated):
    found = np.stack([each.vector for each in student.embed(contents)])
    np.testing.assert_allclose(found, evaluated, atol=1e-5)


def test_alone_is_as_in_a_batch(student, contents):
    together = student.predict(contents[:9])
    for content, other in zip(contents[:9], together, strict=True):
        one = student.predict(content)
        assert one.label == other.label
        np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-5)
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
        assert one.quality == other.quality


def test_one_gets_one_a_list_a_list_and_a_stream_is_read_as_it_goes(student, contents):
    assert student.embed(contents[0]).name == "input 0"
    assert [each.name for each in student.embed(contents[:2])] == ["input 0", "input 1"]
    drawn = []
    stream = student.embed(drawn.append(place) or contents[place] for place in range(len(contents)))
    next(stream)
    assert len(drawn) == student.batch_size < len(contents)
    assert len(list(stream)) == len(contents) - 1


def test_a_file_its_bytes_and_its_pixels_are_the_same(student, contents, tmp_path):
    picture = Image.open(io.BytesIO(contents[0])).convert("RGB")
    file = tmp_path / "a picture.png"
    picture.save(file)
    pixels = np.asarray(picture)
    by_path, by_text, by_bytes, by_array = student.embed([file, str(file), file.read_bytes(), pixels])
    for other in (by_text, by_bytes, by_array):
        np.testing.assert_array_equal(by_path.vector, other.vector)
        assert other.quality == by_path.quality
    assert by_path.name == by_text.name == str(file)
    (tmp_path / "._a picture.png").write_bytes(b"a Mac's")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a picture.png").write_bytes(b"a Mac's")
    assert list(student.files_in(tmp_path)) == [file]  # hidden ones are passed over


def test_what_cannot_be_read_stops_nothing_and_says_why(student, contents, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    given = [tmp_path / "none.png", contents[0], tmp_path / "notes.png", tmp_path, np.zeros((3, 3)), b""]
    found = student.predict(given)
    assert [each.error is None for each in found] == [False, True, False, False, False, False]
    assert found[0].error == "there is no such file"
    assert "folder" in found[3].error and "uint8" in found[4].error
    assert found[0].label is None and found[0].embedding is None


def test_a_file_that_goes_while_it_is_read_has_the_readers_own_reason(student, contents, tmp_path, monkeypatch):
    def take(given, *_):
        given.unlink()
        raise UnreadableSampleError(str(given), "cut short")

    (tmp_path / "a.png").write_bytes(contents[0])
    monkeypatch.setattr(modality_of("image"), "take", take)
    assert student.embed(tmp_path / "a.png").error == "cut short"


def test_quality_is_the_rank_among_the_training_samples(student, contents, distilled, rows):
    measures = pd.read_parquet(distilled / "04_feature" / "test" / "quality_measures.parquet").set_index("sample_id")
    (file,) = distilled.glob("0*/test/samples.parquet")
    samples = pd.read_parquet(file)
    train = samples[(samples["modality"] == "image") & (samples["split"] == "train")]["sample_id"]
    names = student.record.quality.measures
    reference = measures.loc[train, names]
    place = 5
    found = student.embed(contents[place]).quality
    own = measures.loc[rows["sample_id"][place], names]
    assert found.measures == pytest.approx(own.to_dict(), abs=1e-9)

    def rank(values, value):
        return ((values < value).sum() + (values == value).sum() / 2) / len(values)

    def worst(of):
        return min(rank(reference[name], of[name]) for name in names)

    everything = np.array([worst(row) for _, row in reference.iterrows()])
    assert found.score == pytest.approx(rank(everything, worst(own)))
    grey = np.full((40, 40, 3), 128, np.uint8)
    grey[0, 0] = 129  # of one colour it would be refused
    flat = student.embed(grey).quality
    assert flat.poor and flat.score < student.record.quality.poor_below


def test_the_stored_rates_are_those_of_the_dev_trials(student, rows, evaluated):
    dev = rows[rows["split"] == "dev"]
    trials = kind_of(student.task).draw_trials(dev, _evaluation())
    at = {sample: place for place, sample in enumerate(rows["sample_id"])}
    scores = np.array([evaluated[at[a]] @ evaluated[at[b]] for a, b in zip(trials.enrol_id, trials.test_id)])  # noqa: B905
    targets = trials["target"].to_numpy() == 1
    given = [each for each in student.thresholds.values() if each.value is not None]
    assert {each.name for each in given} >= {"eer", "far_0.1"}
    for threshold in given:
        assert (scores[~targets] >= threshold.value).mean() == pytest.approx(threshold.far, abs=0.01)
        assert (scores[targets] < threshold.value).mean() == pytest.approx(threshold.frr, abs=0.03)
    refused = student.thresholds["far_0.001"]
    assert refused.value is None and "impostor trials" in refused.reason


def test_a_pair_is_decided_at_the_threshold_that_is_named(student, contents, evaluated):
    found = student.verify(contents[0], contents[1])
    assert found.score == pytest.approx(float(evaluated[0] @ evaluated[1]), abs=1e-5)
    assert found.accepted == (found.score >= found.value)
    assert found.far == student.thresholds["eer"].far
    calibration = student.record.operating.calibration
    assert found.probability == pytest.approx(
        1 / (1 + np.exp(-calibration.slope * found.score - calibration.intercept))
    )
    undecided = student.verify(contents[0], contents[1], threshold="far_0.001")
    assert undecided.accepted is None and undecided.score == found.score and "impostor trials" in undecided.reason
    with pytest.raises(StudentError, match="There are: eer"):
        student.verify(contents[0], contents[1], threshold="err")
    assert "no such file" in student.verify("/none.png", contents[1]).error


def test_who_is_enrolled_is_found_again_whatever_the_length_of_the_vectors(student, contents, rows, tmp_path):
    labels = rows["label"].unique()[:3]
    groups = {label: [contents[place] for place in np.flatnonzero(rows["label"] == label)] for label in labels}
    entries = [student.enroll(label, group) for label, group in groups.items()]
    enrolled = student.enrolled(*entries)
    enrolled.save(tmp_path / "enrolled")
    again = Enrolled.load(tmp_path / "enrolled")
    longer = student.enrolled(*(replace(entry, vector=3 * entry.vector) for entry in entries))
    found = [student.identify(groups[labels[0]][0], each) for each in (enrolled, again, longer)]
    for each in found:
        assert [name for name, _ in each.candidates] == [name for name, _ in found[0].candidates]
        assert each.score == pytest.approx(found[0].score, abs=1e-6)
    at = student.thresholds["eer"]
    assert found[0].far_any == rate_of_any(at, [entry.samples for entry in entries]) and at.far_enrolled
    with pytest.raises(StudentError, match="another student"):
        student.identify(contents[0], Enrolled("of another", enrolled.entries))
    with pytest.raises(StudentError, match="nobody"):
        student.identify(contents[0], student.enrolled())
    with pytest.raises(StudentError, match="no input"):
        student.enroll("nobody", ["/none.png"])


def test_words_find_images_through_the_projected_teacher(student, contents):
    side = student.package.teacher
    item = side.space.items.iloc[0]
    np.testing.assert_allclose(side.encode([item["text"]], ["query"])[0], side.space.vectors[0], atol=1e-4)
    index = student.index([*contents[:20], b"no picture"])
    found = student.search(item["text"], index, top_k=4)
    scores = unit_rows(index.vectors[:, : side.dim]) @ side.space.vectors[0]
    order = np.argsort(-scores)[:4]
    assert found.across and found.searched == 20 and len(found.errors) == 1
    assert [each.name for each in found.matches] == [f"input {place}" for place in order]
    assert [each.score for each in found.matches] == pytest.approx(scores[order], abs=1e-4)
    itself = student.search(contents[7], index)
    assert not itself.across and itself.matches[0].name == "input 7"
    assert itself.matches[0].score == pytest.approx(1, abs=1e-5)


def test_classes_named_by_words(student, contents):
    labels = ["cat", "dog", "umbrella"]
    found = student.predict(contents[0], labels=labels)
    words = student.package.teacher.encode(labels, labels)
    bound = unit_rows(student.embed(contents[0]).vector[None, : words.shape[1]])[0]
    logits = student.package.teacher.scale * words @ bound
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert dict(found.top) == pytest.approx(dict(zip(labels, shares, strict=True)), abs=1e-5)
    assert not found.calibrated
    for alike in (["cat", "cat"], ["hot-dog", "hot dog"]):
        with pytest.raises(ValueError, match="each once"):
            student.predict(contents[0], labels=alike)


def test_names_that_the_teacher_reads_alike_or_not_at_all_are_refused_in_use_too(student, contents):
    with pytest.raises(StudentError, match="the teacher reads 'Dog', 'dog' alike: give each a name of its own"):
        student.predict(contents[0], labels=["dog", "cat", "Dog"])
    with pytest.raises(StudentError, match="knows no sign of '\U0001f424', '\U0001f6b4'.*in a script and in words"):
        student.predict(contents[0], labels=["\U0001f6b4", "\U0001f424", "cat"])
    with pytest.raises(StudentError, match="knows no sign of '\U0001f6b4'"):
        student.search("\U0001f6b4", contents[:2])


def test_names_that_are_typed_are_read_as_those_of_classes_are(student, contents):
    """Training reads blanks for the signs that file names have between words."""
    said, typed = (student.predict(contents[0], labels=[name, "cat"]).top for name in ("hot dog", "hot-dog"))
    assert dict(said)["hot dog"] == pytest.approx(dict(typed)["hot-dog"], abs=1e-6)


def test_without_the_text_encoder_only_words_are_not_read(student, contents, monkeypatch):
    def away(*_):
        raise ValueError("comes with the package 'gone', which is not installed")

    library = library_of("sentence_transformers")
    monkeypatch.setattr(
        "cross_modal_kd.student.teacher_side.library_of", lambda name: replace(library, weights=away, embed=away)
    )
    with pytest.raises(StudentError, match="needs it to read words, and for nothing else.*not installed"):
        student.search("a word that nobody has asked for", contents[:2])
    monkeypatch.setattr(
        "cross_modal_kd.student.teacher_side.library_of", lambda name: replace(library, weights=lambda _: "0" * 64)
    )
    with pytest.raises(StudentError, match="other weights"):
        student.search("another word", contents[:2])
    assert student.predict(contents[0]).label in student.classes


def test_what_it_is_like(student, contents):
    embedding, own, across = student.neighbours(contents[0], top_k=3)
    training, teacher = student.package.training, student.package.teacher.space
    assert [each.name for each in own][0] == training.items["sample_id"][(training.vectors @ embedding.vector).argmax()]
    assert {each.name for each in across} <= set(teacher.items["sample_id"])
    assert own[0].score >= own[1].score and across[0].score >= across[1].score


def test_a_text_that_many_samples_share_is_named_once(student, contents, monkeypatch):
    side = student.package.teacher
    texts = [f"text {row % 4}" for row in range(len(side.space))]
    shared = replace(side, space=Space(side.space.items.assign(text=texts), side.space.vectors))
    monkeypatch.setattr(student, "package", replace(student.package, teacher=shared))
    _, own, across = student.neighbours(contents[0], top_k=6)
    told = shared.space.items.set_index("sample_id")["text"][[each.name for each in across]]
    assert sorted(told) == sorted(set(texts)) and len(own) == 6
    assert across[0].score == max(each.score for each in across)


def test_the_folder_goes_around(student, contents, tmp_path):
    student.save(tmp_path / "copy")
    again = StudentModel.load(tmp_path / "copy", device="cpu")
    assert again.record == student.record
    np.testing.assert_array_equal(again.embed(contents[0]).vector, student.embed(contents[0]).vector)
    example = next(iter(again.package.examples.values()))
    assert example in contents


def files_of(folder):
    return sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())


def test_every_damaged_file_is_named(folder, tmp_path):
    for name in files_of(folder):
        if name.name in ("checksums.json", "provenance.json", "README.md"):  # the card may be edited
            continue
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 0x20
        (copy / name).write_bytes(content)
        with pytest.raises(StudentError, match=rf"{name}(.|\n)*`kedro run --pipeline=deployment`"):
            load_package(copy)
        (copy / name).unlink()
        with pytest.raises((FileNotFoundError, StudentError), match="`kedro run --pipeline=deployment`"):
            load_package(copy)
        shutil.rmtree(copy)


def test_a_record_that_is_not_the_model_s_is_refused(folder, tmp_path):
    package = load_package(folder)
    other = replace(package, record=package.record.model_copy(update={"weights": "0" * 64}))
    save_package(tmp_path / "other", other)
    with pytest.raises(StudentError, match=r"another model.* `kedro run --pipeline=deployment`"):
        load_package(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="no folder with a packaged student"):
        StudentModel.load(tmp_path / "none")


def _evaluation():
    from cross_modal_kd.config import EvaluationConfig

    base = yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text(encoding="utf-8"))["evaluation"]
    test = yaml.safe_load((PROJECT / "conf/test/parameters.yml").read_text(encoding="utf-8"))["evaluation"]
    return EvaluationConfig(**{**base, **test})
