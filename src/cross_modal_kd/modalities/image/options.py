"""What an encoder of images may be built with: the options of timm's networks and of torchvision's VGG."""

from typing import Annotated, Literal

from pydantic import Field

from cross_modal_kd.config import Strict

# Strict types: a saved model's config.json is plain JSON, where a number is not a string and true is no number.
Size = Annotated[int, Field(strict=True, ge=1, le=65536)]
Depth = Annotated[int, Field(strict=True, ge=1, le=1024)]
Depths = Annotated[list[Depth], Field(min_length=1, max_length=64)]
Count = Annotated[int, Field(strict=True, ge=0, le=65536)]
Sizes = Annotated[list[Size], Field(min_length=1, max_length=64)]
Rate = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(strict=True, ge=0, le=64, allow_inf_nan=False)]
Factors = Annotated[list[Factor], Field(min_length=1, max_length=64)]
Flag = Annotated[bool, Field(strict=True)]
Activation = Literal[
    "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "gelu_tanh", "quick_gelu", "silu", "swish", "mish",
    "prelu", "sigmoid", "tanh", "hard_sigmoid", "hard_swish", "hard_mish",
]  # fmt: skip
Norm = Literal["batchnorm", "batchnorm2d", "groupnorm", "groupnorm1", "layernorm", "layernorm2d", "rmsnorm"]


class WeightsFile(Strict):
    """file: a safetensors file on this machine, in place of timm's download."""

    file: str = Field(min_length=1, pattern=r"\.safetensors$")


class TimmOptions(Strict):
    """Arguments of timm's networks that describe their shape; which of them a network has is its own matter.

    What names a file, an address, a class or another configuration (``pretrained``, ``pretrained_cfg``,
    ``checkpoint_path``, ``features_only`` ...) is not among them. ``pretrained_cfg_overlay`` is a pretrained teacher's.
    """

    channels: Sizes | None = None
    widths: Sizes | None = None
    dims: Sizes | None = None
    embed_dim: Size | Sizes | None = None
    embed_dims: Sizes | None = None
    depth: Depth | Depths | None = None
    depths: Depths | None = None
    layers: Depths | None = None
    num_heads: Depth | Depths | None = None
    head_dim: Size | None = None
    mlp_ratio: Factor | Factors | None = None
    mlp_ratios: Factor | Factors | None = None
    expand_ratio: Factor | None = None
    stem_width: Size | None = None
    stem_size: Size | None = None
    stem_chs: Size | Sizes | None = None
    stem_type: Literal["", "deep", "deep_tiered", "patch", "overlap", "overlap_tiered", "overlap_act"] | None = None
    base_width: Size | None = None
    cardinality: Size | None = None
    group_size: Count | None = None
    groups: Size | None = None
    kernel_size: Size | None = None
    kernel_sizes: Size | Sizes | None = None
    output_stride: Literal[8, 16, 32] | None = None
    img_size: Size | Annotated[list[Size], Field(min_length=2, max_length=2)] | None = None
    patch_size: Size | Sizes | None = None
    window_size: Size | Annotated[list[Size], Field(min_length=2, max_length=2)] | None = None
    global_pool: Literal["avg", "max", "avgmax", "catavgmax", "fast", "fastavg", "fastmax", "token", "map"] | None = (
        None
    )
    drop_rate: Rate | None = None
    drop_path_rate: Rate | None = None
    drop_block_rate: Rate | None = None
    pos_drop_rate: Rate | None = None
    patch_drop_rate: Rate | None = None
    proj_drop_rate: Rate | None = None
    attn_drop_rate: Rate | None = None
    init_values: Factor | None = None
    ls_init_value: Factor | None = None
    layer_scale_init_value: Factor | None = None
    norm_eps: Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)] | None = None
    act_layer: Activation | None = None
    norm_layer: Norm | None = None
    avg_down: Flag | None = None
    class_token: Flag | None = None
    conv_bias: Flag | None = None
    dynamic_img_size: Flag | None = None
    final_norm: Flag | None = None
    fix_stem: Flag | None = None
    no_embed_class: Flag | None = None
    pre_norm: Flag | None = None
    qk_norm: Flag | None = None
    qkv_bias: Flag | None = None
    use_pos_embed: Flag | None = None
    zero_init_last: Flag | None = None
    pretrained_cfg_overlay: WeightsFile | None = None


class VggOptions(Strict):
    """channels: of each stage, after which the image is halved; convs: convolutions a stage."""

    channels: Sizes
    convs: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
