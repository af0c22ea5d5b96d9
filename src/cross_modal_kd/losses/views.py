"""Self-supervision on the student's own samples: two views of one belong together. From pytorch-metric-learning."""

from pytorch_metric_learning.losses import NTXentLoss, SelfSupervisedLoss
from torch import Tensor, nn

from cross_modal_kd.losses.constraint import check_temperature
from cross_modal_kd.losses.precision import full, no_autocast, unit


class TwoViews(nn.Module):
    """NT-Xent over the 2B embeddings of two views: each must find its other view among the 2B - 1 others.

    -log(exp(z_ij) / sum over k != i of exp(z_ik)), z = cos / temperature, averaged over all 2B. No label and no teacher
    is asked. Reference: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020
    (SimCLR). Its projection head is left out: the embedding that is measured by its cosine is the one that is drawn
    together (our reading).

    Args:
        weight: lambda of the term, > 0.
        temperature: tau > 0, without unit.

    Raises:
        ValueError: If the temperature is not above 0.

    >>> import torch
    >>> views = torch.eye(4)[:2], torch.eye(4)[:2]
    >>> round(TwoViews(temperature=1.0)(*views).item(), 4) == round(float(torch.tensor(1 + 2 / torch.e).log()), 4)
    True
    """

    def __init__(self, weight: float = 1.0, temperature: float = 0.1) -> None:
        super().__init__()
        self.weight = weight
        self._loss = SelfSupervisedLoss(NTXentLoss(temperature=check_temperature(temperature)))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The loss of one batch, in single precision or better whatever autocast says.

        Args:
            first: (B, d) embeddings of one view of each sample.
            second: (B, d) of the other, in the same order.

        Returns:
            One number in nats, before the weight.
        """
        with no_autocast(first):
            value: Tensor = self._loss(unit(full(first)), unit(full(second)))
            return value
