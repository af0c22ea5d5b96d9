"""What an encoder of texts that is trained here may be built with."""

from typing import Annotated

from pydantic import Field, model_validator

from cross_modal_kd.config import Strict

# Strict types: a saved model's config.json is plain JSON, where a number is not a string and true is no number.
Size = Annotated[int, Field(strict=True, ge=1, le=65536)]
Depth = Annotated[int, Field(strict=True, ge=1, le=1024)]
Rate = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]
Length = Annotated[int, Field(strict=True, ge=1, le=16)]


class BagOptions(Strict):
    """Of ``fasttext``, the bag of n-grams.

    ngrams: lengths in bytes. buckets: vectors that the n-grams share. dim: of a vector. features: of the layer on their
    mean. dropout: of that mean.
    """

    ngrams: Annotated[list[Length], Field(min_length=1, max_length=8)] = [3, 4, 5, 6]
    buckets: Annotated[int, Field(strict=True, ge=16, le=2**24)] = 2**15
    dim: Size = 64
    features: Size = 128
    dropout: Rate = 0.2


class BertOptions(Strict):
    """Of ``bert``: arguments of ``transformers.BertConfig`` that describe the network's shape, by their names there."""

    hidden_size: Size = 64
    num_hidden_layers: Depth = 2
    num_attention_heads: Depth = 2
    intermediate_size: Size = 256
    hidden_dropout_prob: Rate = 0.1
    attention_probs_dropout_prob: Rate = 0.1

    @model_validator(mode="after")
    def _heads_share_it(self) -> "BertOptions":
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size: expected a multiple of num_attention_heads, {self.num_attention_heads}, found "
                f"{self.hidden_size}"
            )
        return self
