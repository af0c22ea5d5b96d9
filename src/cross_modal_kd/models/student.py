"""The student: an encoder and a linear embedding, s_i = normalise(f_S(x_i))."""

import torch
from torch import Tensor, nn

from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.models.answer import Shared, answer_logits
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.encoders import create_encoder, saved_encoder, saved_inputs
from cross_modal_kd.models.errors import ModelError
from cross_modal_kd.models.fit import building, filled, require_tensor
from cross_modal_kd.models.projection import check_projection

KIND = "student"
SHARED = "shared.prototypes"


class Student(nn.Module):
    """Raw inputs of one modality (B, ...) to embeddings (B, dim), not yet L2-normalised.

    The embedding is a linear layer and a batch norm on the encoder's features; a trained teacher has the same shape.

    Args:
        encoder: library, name and options of the encoder.
        inputs: how the samples become tensors.
        dim: length of the embedding.
        dropout: share of the encoder's features that is dropped in training, in [0, 1).
        pretrained: whether the encoder starts from the weights that its library has for it, or a path of others.
    """

    def __init__(
        self,
        encoder: EncoderConfig,
        inputs: InputConfig,
        dim: int,
        dropout: float = 0.0,
        pretrained: bool | str = False,
    ) -> None:
        super().__init__()
        self.encoder = create_encoder(encoder, inputs, pretrained)
        self.embedding = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.encoder.num_features, dim, bias=False), nn.BatchNorm1d(dim)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """f_S(x), the embedding.

        Args:
            inputs: (B, ...) raw inputs, as the modality reads them.

        Returns:
            (B, dim), not normalised.
        """
        return self.embedding(self.encoder(inputs))


def student_bundle(
    student: Student,
    classifier: nn.Module,
    *,
    encoder: EncoderConfig,
    inputs: InputConfig,
    dim: int,
    classes: list[str],
    projection: ModelBundle | None = None,
    shared: Shared | None = None,
) -> ModelBundle:
    """What has to be kept of a trained student: its weights, its classifier's, and how to build it again.

    Args:
        student: The module, on any device.
        classifier: Its classifier.
        encoder: What the encoder was built from.
        inputs: What the encoder's inputs were read with.
        dim: d, length of the embedding.
        classes: C names, in the order of the classifier's outputs.
        projection: The teacher's projection at the end, where the student's training went on moving it.
        shared: The teacher's classifier, where the student answers by it.

    Returns:
        The bundle, its tensors on the CPU.
    """
    tensors = {f"student.{name}": value for name, value in student.state_dict().items()}
    # saved models call the classifier "head"; a new name would make them unreadable
    tensors |= {f"head.{name}": value for name, value in classifier.state_dict().items()}
    config = {
        "encoder": encoder.model_dump(),
        "inputs": inputs.model_dump(),
        "dim": dim,
        "classes": classes,
    }
    if projection is not None:
        config["own_projection"] = projection.config
        tensors |= {f"own_projection.{name}": value for name, value in projection.tensors.items()}
    if shared is not None:
        config["answer"] = {"by": shared.by, "scale": shared.scale}
        tensors[SHARED] = shared.prototypes
    return ModelBundle(KIND, config, {name: value.detach().cpu() for name, value in tensors.items()})


def own_projection(bundle: ModelBundle) -> ModelBundle | None:
    """The projection that was trained on together with this student.

    Args:
        bundle: Of ``student_bundle``.

    Returns:
        The projection's bundle; None where the projection stood still.
    """
    if bundle.config.get("own_projection") is None:
        return None
    prefix = "own_projection."
    tensors = {k.removeprefix(prefix): v for k, v in bundle.tensors.items() if k.startswith(prefix)}
    return ModelBundle("projection", bundle.config["own_projection"], tensors, bundle.folder)


def build_student(bundle: ModelBundle) -> Student:
    """The student of a bundle, in evaluation mode on the CPU.

    Args:
        bundle: Of ``student_bundle``.

    Returns:
        The module.

    Raises:
        ModelError: If the bundle holds another kind of model, or one that cannot be built.
    """
    if bundle.kind != KIND:
        raise ModelError(f"{bundle.where}: expected a model of kind {KIND!r}, found {bundle.kind!r}")
    encoder, inputs = saved_encoder(bundle), saved_inputs(bundle)
    prefix = "student."
    with building(bundle):
        state = {k.removeprefix(prefix): v for k, v in bundle.tensors.items() if k.startswith(prefix)}
        return filled(lambda: Student(encoder, inputs, bundle.config["dim"]), state)


def check_student(bundle: ModelBundle) -> None:
    """Make sure that what a student takes along is of its embedding and its classes; ``build_student`` sees the rest.

    Args:
        bundle: Of kind ``student``.

    Raises:
        ModelError: If its classifier or its projection is not.
    """
    dim, classes = bundle.config["dim"], len(bundle.config["classes"])
    parts = ["student.", "head."] + ["own_projection."] * (bundle.config.get("own_projection") is not None)
    parts += [SHARED] * (bundle.config.get("answer") is not None)
    with building(bundle):
        if strange := [name for name in bundle.tensors if not name.startswith(tuple(parts))]:
            raise ValueError(f"the tensor {strange[0]!r} belongs to nothing that the configuration names")
        require_tensor(bundle.tensors, "student.embedding.1.weight", (dim, -1))
        if "head.bias" in bundle.tensors:  # a linear classifier, which answers
            require_tensor(bundle.tensors, "head.weight", (classes, dim))
            require_tensor(bundle.tensors, "head.bias", (classes,))
        if bundle.config.get("answer") is not None:
            require_tensor(bundle.tensors, SHARED, (classes, -1))
        if (projection := own_projection(bundle)) is not None:
            check_projection(projection)


def classifier_logits(bundle: ModelBundle, embeddings: Tensor) -> Tensor:
    """Logits of the student, for a linear classifier.

    They are those of its own classifier, or as ``answer_logits`` has it where the student answers by the teacher's
    classifier too.

    Args:
        bundle: Of ``student_bundle``.
        embeddings: (N, d) of the student, not normalised.

    Returns:
        (N, C).

    Raises:
        ModelError: If the bundle has no such classifier, or one that does not fit its classes.
    """
    with building(bundle):
        own = embeddings @ bundle.tensors["head.weight"].T + bundle.tensors["head.bias"]
        if own.shape[1:] != (len(bundle.config["classes"]),):
            raise ValueError(f"its classifier has {own.shape[1]} outputs for {len(bundle.config['classes'])} classes")
        if bundle.config.get("answer") is None:
            return own
        how = bundle.config["answer"]
        return answer_logits(own, embeddings, Shared(how["by"], torch.as_tensor(bundle.tensors[SHARED]), how["scale"]))
