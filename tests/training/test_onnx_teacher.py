"""A frozen teacher in an ONNX file, such as insightface's: a small graph made here, against numpy."""

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from cross_modal_kd.config import EncoderConfig, InputConfig, SourcesConfig, TaskConfig, TeacherConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.hooks.checks import library_of
from cross_modal_kd.models import build_pretrained
from cross_modal_kd.models.projection import Projection, projection_bundle
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.space import Space
from cross_modal_kd.student.teacher_side import TeacherSide
from cross_modal_kd.training.teacher import embed_teacher, pretrained_teacher

SIZE, DIM = 8, 5
HALVES = {"size": SIZE, "mean": [0.5] * 3, "std": [0.5] * 3}  # insightface: (x - 127.5) / 127.5
INPUTS = InputConfig(image=HALVES)
TASK = TaskConfig(name="t", title="T", kind="verification", student="speech", teacher="image", pairing="label")
WEIGHTS = np.random.default_rng(0).normal(size=(3 * SIZE * SIZE, DIM)).astype(np.float32)


def graph(file, batch="n", size=SIZE, outside=False):
    """Flatten, and a matrix."""
    shapes = [("image", [batch, 3, size, size]), ("features", [batch, DIM])]
    given, features = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["features"]),
    ]
    weights = numpy_helper.from_array(WEIGHTS[: 3 * size * size], "weights")
    made = helper.make_graph(nodes, "g", [given], [features], [weights])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save_model(model, file, save_as_external_data=outside, location="weights.bin", size_threshold=0)
    return file


def encoder(file):
    return TeacherConfig(encoder={"library": "onnx", "name": str(file)})


@pytest.fixture
def world(tmp_path):
    rng, rows = np.random.default_rng(1), []
    for number in range(7):
        pixels = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        scaled = ((pixels.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)
        rows.append({"sample_id": f"s{number}", "path": f"{number}.png", "expected": scaled.reshape(-1) @ WEIGHTS})
    samples = pd.DataFrame(rows).assign(
        modality="image", source="made", text=pd.NA, group=pd.NA, label="a", split="train", sha256="0" * 64
    )
    return samples, SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}})


@pytest.mark.parametrize("batch", ["n", 1, 4], ids=["any number", "one at a time", "four at a time"])
def test_embeddings_are_the_graphs_own_and_its_content_is_in_their_fingerprint(world, tmp_path, batch):
    samples, sources = world
    file = graph(tmp_path / "faces.onnx", batch)
    teacher = pretrained_teacher(encoder(file), INPUTS)
    assert not teacher.tensors and build_pretrained(teacher, INPUTS).num_features == DIM
    found = embed_teacher(samples, TASK, sources, INPUTS, teacher, tmp_path / "cache", "cpu")
    np.testing.assert_allclose(found.values, np.stack(samples["expected"]), rtol=1e-4, atol=1e-4)
    before = found.fingerprint
    WEIGHTS[0, 0] += 1
    try:
        graph(file, batch)
        assert embed_teacher(samples, TASK, sources, INPUTS, teacher, tmp_path / "cache", "cpu").fingerprint != before
    finally:
        WEIGHTS[0, 0] -= 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.unlink(), r"there is no file .*faces.onnx \(FileNotFoundError\); give the path of one"),
        (lambda file: file.write_bytes(b"no graph"), "faces.onnx is no ONNX file"),
        (lambda file: graph(file, outside=True), "the weights of .*faces.onnx lie in another file: save it as one"),
    ],
)
def test_a_file_that_is_no_whole_graph_is_refused_before_the_run(tmp_path, spoil, said):
    file = graph(tmp_path / "faces.onnx")
    spoil(file)
    with pytest.raises(ValueError, match=f"teacher.encoder.name: .*{said}"):
        library_of("onnx").check(EncoderConfig(library="onnx", name=str(file)))


def test_images_of_another_size_are_refused(tmp_path):
    teacher = pretrained_teacher(encoder(graph(tmp_path / "faces.onnx", size=4)), INPUTS)
    with pytest.raises(ValueError, match=r"\[3, 8, 8\] each, as inputs.image says; set its size and channels"):
        build_pretrained(teacher, INPUTS)


def test_it_is_frozen(tmp_path):
    with pytest.raises(ValueError, match="a onnx encoder is used as it is: teacher.pretrained must be true"):
        TeacherConfig(encoder={"library": "onnx", "name": str(graph(tmp_path / "faces.onnx"))}, pretrained=False)


def test_a_student_reads_the_teachers_pictures_with_the_same_file_alone(world, tmp_path):
    samples, _ = world
    file = graph(tmp_path / "faces.onnx")
    teacher = pretrained_teacher(encoder(file), INPUTS)
    config = ProjectionConfig(dim=4, hidden=8)
    made = projection_bundle(Projection(DIM, 3, config), DIM, ["a", "b", "c"])
    weights = library_of("onnx").weights(EncoderConfig(library="onnx", name=str(file)))
    space = Space(pd.DataFrame(), np.zeros((0, 4), dtype=np.float32))
    side = TeacherSide("image", teacher, made, space, weights)
    found = side.encode([tmp_path / "0.png"], ["0.png"])
    assert found.shape == (1, 4) and np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    WEIGHTS[0, 0] += 1
    try:
        graph(file)
        with pytest.raises(StudentError, match=r"inputs of the teacher's, .*other weights"):
            side.encode([tmp_path / "0.png"], ["0.png"])
    finally:
        WEIGHTS[0, 0] -= 1
    file.unlink()
    with pytest.raises(StudentError, match="It is not here: teacher.encoder.name: there is no file"):
        side.encode([tmp_path / "0.png"], ["0.png"])
