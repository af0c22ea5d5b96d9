"""What an encoder of speech may be built with: the options of the speaker networks."""

from typing import Annotated

from pydantic import Field

from cross_modal_kd.config import Strict

Size = Annotated[int, Field(strict=True, ge=1, le=65536)]
Sizes = Annotated[list[Size], Field(min_length=3, max_length=64)]
Four = Field(min_length=4, max_length=4)
Depth = Annotated[int, Field(strict=True, ge=1, le=1024)]


class EcapaOptions(Strict):
    """Of ECAPA_TDNN; the lists have one number a layer."""

    channels: Sizes | None = None
    kernel_sizes: Sizes | None = None
    dilations: Sizes | None = None
    groups: Sizes | None = None
    attention_channels: Size | None = None
    res2net_scale: Depth | None = None
    se_channels: Size | None = None
    lin_neurons: Size | None = None
    global_context: Annotated[bool, Field(strict=True)] | None = None
    dropout: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)] | None = None


class ResNetOptions(Strict):
    """Of ResNet; the lists have one number a stage."""

    channels: Annotated[list[Size], Four] | None = None
    block_sizes: Annotated[list[Depth], Four] | None = None
    strides: Annotated[list[Depth], Four] | None = None
    lin_neurons: Size | None = None


class StatisticsOptions(Strict):
    """Of tstp's ResNet18 and ResNet34: channels of the first stage, which every further one doubles."""

    channels: Annotated[int, Field(strict=True, ge=1, le=1024)] = 32
