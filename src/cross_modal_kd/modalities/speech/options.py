"""What an encoder of speech may be built with: the options of the networks."""

from typing import Annotated, Literal

from pydantic import Field

from cross_modal_kd.config import Strict

Size = Annotated[int, Field(strict=True, ge=1, le=65536)]
Sizes = Annotated[list[Size], Field(min_length=3, max_length=64)]
Lengths = Annotated[list[Size], Field(min_length=1, max_length=64)]
Four = Field(min_length=4, max_length=4)
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Named = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9_]+$")]
Depth = Annotated[int, Field(strict=True, ge=1, le=1024)]
Flag = Annotated[bool, Field(strict=True)]
Heard = Literal["log_mel", "kaldi", "speechbrain"]


class EcapaOptions(Strict):
    """Of ECAPA_TDNN; the lists have one number a layer.

    features: what it hears, ``log_mel`` by default. form: ``wespeaker`` is WeSpeaker's of the same network (see
    ``Ecapa``); null is SpeechBrain's.
    """

    channels: Sizes | None = None
    kernel_sizes: Sizes | None = None
    dilations: Sizes | None = None
    groups: Sizes | None = None
    attention_channels: Size | None = None
    res2net_scale: Depth | None = None
    se_channels: Size | None = None
    lin_neurons: Size | None = None
    global_context: Flag | None = None
    dropout: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)] | None = None
    features: Heard | None = None
    form: Literal["wespeaker"] | None = None


class ResNetOptions(Strict):
    """Of ResNet; the lists have one number a stage. ``features`` is what it hears, ``log_mel`` by default."""

    channels: Annotated[list[Size], Four] | None = None
    block_sizes: Annotated[list[Depth], Four] | None = None
    strides: Annotated[list[Depth], Four] | None = None
    lin_neurons: Size | None = None
    features: Heard | None = None


class TransformersOptions(Strict):
    """Of transformers' networks of raw waves: what of their configuration decides the network, by its own names.

    Attributes:
        pooling: of the frames, their ``mean``, or ``statistics``, mean and deviation.
        normalize: whether each wave is brought to mean 0 and deviation 1, which the model's ``do_normalize`` says.
    """

    pooling: Literal["mean", "statistics"] = "mean"
    normalize: Flag = False
    hidden_size: Size | None = None
    num_hidden_layers: Depth | None = None
    num_attention_heads: Depth | None = None
    intermediate_size: Size | None = None
    hidden_act: Named | None = None
    hidden_dropout: Share | None = None
    activation_dropout: Share | None = None
    attention_dropout: Share | None = None
    feat_proj_dropout: Share | None = None
    feat_proj_layer_norm: Flag | None = None
    layer_norm_eps: Share | None = None
    feat_extract_norm: Literal["group", "layer"] | None = None
    feat_extract_activation: Named | None = None
    conv_dim: Lengths | None = None
    conv_stride: Lengths | None = None
    conv_kernel: Lengths | None = None
    conv_bias: Flag | None = None
    conv_pos_batch_norm: Flag | None = None
    conv_pos_kernel_size: Size | None = None
    num_conv_pos_embeddings: Size | None = None
    num_conv_pos_embedding_groups: Size | None = None
    do_stable_layer_norm: Flag | None = None
    num_buckets: Size | None = None
    max_bucket_distance: Size | None = None


OF_TRANSFORMERS = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "data2vec-audio")


class StatisticsOptions(Strict):
    """Of tstp's ResNet18 and ResNet34.

    Attributes:
        channels: of the first stage, which every further one doubles.
        lin_neurons: length of a linear layer on the statistics; null leaves the statistics as they are.
        unbiased: whether the deviation of L frames is that over L - 1, as WeSpeaker has it.
        features: what it hears: this project's log-mel features, Kaldi's filter bank, or SpeechBrain's.
    """

    channels: Annotated[int, Field(strict=True, ge=1, le=1024)] = 32
    lin_neurons: Size | None = None
    unbiased: Flag = False
    features: Heard = "log_mel"
