"""Encoders of texts that are trained here, from the bytes of their UTF-8: no vocabulary, and no word is unknown."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.text.options import BagOptions, BertOptions
from cross_modal_kd.models import Encoder

BLANK = 32
BASE = 1_000_003  # odd, so that every byte of an n-gram counts in a hash modulo a power of two


class NgramBag(Encoder):
    r"""The mean of the vectors of a text's n-grams, and a layer on it.

    .. math:: x = \mathrm{ReLU}\Big(A \, \frac{1}{|G|} \sum_{g \in G} E_{h(g)} + b\Big), \qquad
        h(g) = \Big(\sum_i g_i P^{n-1-i}\Big) \bmod 2^{31} \bmod H

    G are the text's n-grams of bytes, a blank before and behind it counted, P is 1,000,003 and H the number of
    ``buckets``. Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017, with the n-grams
    of Bojanowski et al., "Enriching Word Vectors with Subword Information", TACL 2017; bytes in place of characters,
    and the layer, are ours.

    Args:
        options: lengths of the n-grams, number and length of their vectors, features, dropout.
    """

    def __init__(self, options: BagOptions) -> None:
        super().__init__()
        self.ngrams, self.num_features = tuple(options.ngrams), options.features
        self.vectors = nn.Embedding(options.buckets, options.dim)
        self.layers = nn.Sequential(
            nn.Dropout(options.dropout), nn.Linear(options.dim, options.features), nn.ReLU(inplace=True)
        )

    def forward(self, texts: Tensor) -> Tensor:
        """Texts to features.

        Args:
            texts: (B, length) uint8, 0 behind each text's end.

        Returns:
            (B, num_features).
        """
        grams, there = hashed_ngrams(texts, self.ngrams, self.vectors.num_embeddings)
        weights = there / there.sum(dim=1, keepdim=True).clamp(min=1)
        return self.layers(torch.einsum("bg,bgd->bd", weights.to(self.vectors.weight.dtype), self.vectors(grams)))


def hashed_ngrams(texts: Tensor, ngrams: Sequence[int], buckets: int) -> tuple[Tensor, Tensor]:
    """The n-grams of texts, as places in a table. See ``NgramBag``.

    Args:
        texts: (B, length) uint8, 0 behind each text's end.
        ngrams: lengths in bytes.
        buckets: of the table.

    Returns:
        Places (B, G) int64, and which of them are of n-grams (B, G): those that reach beyond the blank behind the text
        are not.
    """
    codes = texts.long()
    edge = torch.full_like(codes[:, :1], BLANK)
    behind = torch.zeros_like(edge).expand(-1, max(1, max(ngrams) - 1 - codes.shape[1]))
    codes = torch.cat([edge, codes, behind], dim=1)
    codes = torch.where((codes == 0) & (codes.roll(1, dims=1) != 0), BLANK, codes)
    places, there = [], []
    for length in ngrams:
        windows = codes.unfold(1, length, 1)
        value = torch.zeros_like(windows[..., 0])
        for place in range(length):
            value = (value * BASE + windows[..., place]) % 2**31
        places.append(value % buckets)
        there.append((windows != 0).all(dim=-1))
    return torch.cat(places, dim=1), torch.cat(there, dim=1)


class ByteBert(Encoder):
    """BERT, from fresh weights, whose tokens are bytes; the mean over a text's own bytes.

    The network is ``transformers.BertModel``. Source: Devlin et al., "BERT", NAACL 2019; bytes as tokens as in Xue et
    al., "ByT5", TACL 2022.

    Args:
        options: the network's shape.
        length: of every text, in bytes.
    """

    def __init__(self, options: BertOptions, length: int) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        config = BertConfig(
            vocab_size=256, pad_token_id=0, type_vocab_size=1, max_position_embeddings=length, **options.model_dump()
        )
        self.network = BertModel(config, add_pooling_layer=False)
        self.num_features = options.hidden_size

    def forward(self, texts: Tensor) -> Tensor:
        """Texts to features.

        Args:
            texts: (B, length) uint8, 0 behind each text's end.

        Returns:
            (B, num_features).
        """
        own = (texts != 0).long()
        found = self.network(input_ids=texts.long(), attention_mask=own).last_hidden_state
        weights = own.to(found.dtype)[..., None]
        return (found * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)

    def layer_names(self) -> list[list[str]]:
        """The embeddings, then each of BERT's layers. See ``Encoder.layer_names``."""
        names = [name for name, _ in self.named_parameters()]
        layers = len(self.network.encoder.layer)
        found = [[name for name in names if name.startswith("network.embeddings.")]]
        return found + [[n for n in names if n.startswith(f"network.encoder.layer.{each}.")] for each in range(layers)]
