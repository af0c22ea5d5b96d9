"""The trainable projection g of the teacher, and the prototypes W that are learnt with it."""

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from cross_modal_kd.config import ProjectionConfig
from cross_modal_kd.losses import unit, unit_weights
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.errors import ModelError
from cross_modal_kd.models.fit import building, filled, require_fit

KIND = "projection"


class ProjectionMap(nn.Module):
    r"""Teacher embeddings (B, D) to the student's space: t = normalise(g(x)), of dimension d.

    g(x) = P (x - mu) [+ MLP(x - mu)], with mu the mean and P the first d principal directions of the training
    embeddings. ``pca`` keeps P alone, fixed: the ablation without a trained g. ``mlp`` learns both terms, the MLP
    starting near zero, so that g starts from the teacher's own geometry; without ``residual`` P has no part in it, and
    is not trained. Our reading; the source's shape was not available.

    Args:
        in_dim: D, length of the teacher's embeddings.
        config: ``kind`` (``mlp`` or ``pca``), ``dim`` d, ``hidden``, ``dropout`` and ``residual``; without ``residual``
            an ``mlp`` has no linear term.
    """

    mean: Tensor

    def __init__(self, in_dim: int, config: ProjectionConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(in_dim))
        self.linear = nn.Linear(in_dim, config.dim, bias=False)
        self.mlp: nn.Module | None = None
        if config.kind == "mlp":
            last = nn.Linear(config.hidden, config.dim)
            self.mlp = nn.Sequential(
                nn.LayerNorm(in_dim), nn.Linear(in_dim, config.hidden), nn.GELU(), nn.Dropout(config.dropout), last
            )
            if config.residual:
                nn.init.zeros_(last.bias)
                with torch.no_grad():
                    last.weight.mul_(0.1)
        self.linear.requires_grad_(self.mlp is not None and config.residual)

    @torch.no_grad()
    def initialise(self, embeddings: Tensor) -> None:
        """Set mu and P from the training embeddings; directions beyond the data's rank stay zero.

        Args:
            embeddings: (N, D) of the teacher.
        """
        self.mean.copy_(embeddings.mean(dim=0))
        _, spread, directions = torch.linalg.svd(embeddings - self.mean, full_matrices=False)
        within_rank = spread > spread[0] * max(embeddings.shape) * torch.finfo(spread.dtype).eps
        kept = directions[within_rank][: self.linear.out_features]
        signs = kept.gather(1, kept.abs().argmax(dim=1, keepdim=True)).sign()
        self.linear.weight.zero_()
        self.linear.weight[: len(kept)] = kept * signs

    def forward(self, embeddings: Tensor) -> Tensor:
        """t = normalise(g(x)).

        Args:
            embeddings: (B, D) of the teacher, raw.

        Returns:
            (B, d), rows of length 1.
        """
        centred = embeddings - self.mean
        if self.mlp is None:
            return unit(self.linear(centred))
        if self.config.residual:
            return unit(self.linear(centred) + self.mlp(centred))
        return unit(self.mlp(centred))


class Projection(nn.Module):
    """g and the prototypes together: ``head(x)`` (B, d) and ``prototypes()`` (C, d), both L2-normalised.

    Args:
        in_dim: D, length of the teacher's embeddings.
        classes: C, the number of prototypes.
        config: shape of g; its ``dim`` is d, and its ``scale`` the logit scale a of the prototypes.
    """

    def __init__(self, in_dim: int, classes: int, config: ProjectionConfig) -> None:
        super().__init__()
        self.config = config
        # the attribute names the tensors of saved models: a new name would make them unreadable
        self.head = ProjectionMap(in_dim, config)
        self.weight = nn.Parameter(torch.randn(classes, config.dim) * 0.05)

    def prototypes(self) -> Tensor:
        """(C, d) the prototypes W, rows of length 1."""
        return unit_weights(self.weight)

    def forward(self, embeddings: Tensor) -> Tensor:
        """See ``ProjectionMap.forward``."""
        return self.head(embeddings)


def projection_bundle(projection: Projection, in_dim: int, classes: list[str]) -> ModelBundle:
    """What has to be kept of a fitted projection.

    Args:
        projection: The module, on any device.
        in_dim: D, length of the teacher's embeddings.
        classes: C names, in the order of the prototypes.

    Returns:
        The bundle, its tensors on the CPU.
    """
    config = {"in_dim": in_dim, "classes": classes, "projection": projection.config.model_dump()}
    return ModelBundle(KIND, config, {k: v.detach().cpu() for k, v in projection.state_dict().items()})


def build_projection(bundle: ModelBundle) -> Projection:
    """The projection of a bundle, in evaluation mode on the CPU.

    Args:
        bundle: Of ``projection_bundle``.

    Returns:
        The module.

    Raises:
        ModelError: If the bundle holds another kind of model, or one that cannot be built.
    """
    if bundle.kind != KIND:
        raise ModelError(f"{bundle.where}: expected a model of kind {KIND!r}, found {bundle.kind!r}")
    with building(bundle):
        return filled(partial(_fresh, bundle), bundle.tensors)


def check_projection(bundle: ModelBundle) -> None:
    """Make sure that the tensors of a projection are those of its configuration.

    Args:
        bundle: Of kind ``projection``.

    Raises:
        ModelError: If they are not.
    """
    with building(bundle):
        require_fit(partial(_fresh, bundle), bundle.tensors)


def _fresh(bundle: ModelBundle) -> Projection:
    config = ProjectionConfig(**bundle.config["projection"])
    return Projection(bundle.config["in_dim"], len(bundle.config["classes"]), config)


def project(projection: ModelBundle, values: np.ndarray) -> np.ndarray:
    """Unit vectors t = normalise(g(x)) of raw teacher embeddings.

    Args:
        projection: Of ``projection_bundle``.
        values: (n, D).

    Returns:
        (n, d), rows of length 1.
    """
    with torch.no_grad():
        return unit_rows(build_projection(projection)(torch.from_numpy(values)).numpy())


def prototypes(projection: ModelBundle) -> np.ndarray:
    """Prototypes W of the teacher's classifier.

    Args:
        projection: Of ``projection_bundle``.

    Returns:
        (C, d), rows of length 1.
    """
    return unit_rows(np.asarray(projection.tensors["weight"]))


def with_prototypes(projection: ModelBundle, classes: list[str], rows: np.ndarray) -> ModelBundle:
    """The projection with other prototypes.

    Args:
        projection: Of ``projection_bundle``; its map stays.
        classes: C names.
        rows: (C, d) prototypes in their order; their lengths do not count.

    Returns:
        A new bundle.

    Raises:
        ValueError: If there is not a row of the projection's dimension for each class.
    """
    shape = (len(classes), projection.config["projection"]["dim"])
    if rows.shape != shape:
        raise ValueError(f"rows: expected a prototype for each class, {shape}, found {rows.shape}")
    weight = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))
    return ModelBundle(KIND, {**projection.config, "classes": list(classes)}, {**projection.tensors, "weight": weight})


def nearest_prototype(projection: ModelBundle, projected: np.ndarray) -> np.ndarray:
    """The class that the teacher's classifier takes each sample for.

    Args:
        projection: Of ``projection_bundle``, with the prototypes W (C, d).
        projected: (n, d) unit vectors t, as ``project`` gives them.

    Returns:
        (n,) class numbers in [0, C).
    """
    return (projected @ prototypes(projection).T).argmax(axis=1)
