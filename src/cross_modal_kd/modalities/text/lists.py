"""What the files of a sentence-transformers model may say: by file, its keys with their types and ranges.

Everything that names code, a file, an address or another configuration is missing from these lists, so that no version
of the library meets it. Numbers are numbers and names are names: nothing is turned into another type.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

Size = Annotated[int, Field(ge=1, le=2**24)]
Depth = Annotated[int, Field(ge=1, le=1024)]
Token = Annotated[int, Field(ge=-1, le=2**24)] | None
Rate = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Small = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=1000)]
Act = Literal["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu", "swish", "tanh"]
Added = Word | dict[Literal["__type", "content", "lstrip", "rstrip", "normalized", "single_word", "special", "id"], Any]

_HOMES = (
    "sentence_transformers.models",
    "sentence_transformers.base.modules",
    "sentence_transformers.sentence_transformer.modules",
)
# The part of a sentence-transformers model by the class that modules.json names.
PARTS = {
    named: part
    for part in ("Transformer", "Pooling", "Normalize", "Dense")
    for home in _HOMES
    for named in (f"{home}.{part}", f"{home}.{part.lower()}.{part}", f"{home}.{part}.{part}")
}
Parts = Annotated[
    list[Annotated[dict[Literal["idx", "name", "path", "type"], Any], Field(min_length=4)]],
    Field(min_length=1, max_length=8),
]
Subfolder = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,100}$")]

TRANSFORMER: Mapping[str, Any] = {
    "model_type": Literal["bert", "roberta", "xlm-roberta", "camembert", "mpnet", "distilbert", "electra", "albert"],
    "transformers_version": Annotated[str, Field(pattern=r"^[0-9a-z.+]{1,40}$")],
    **dict.fromkeys(("dtype", "torch_dtype"), Literal["float32", "float16", "bfloat16"] | None),
    **dict.fromkeys(
        (
            "vocab_size", "hidden_size", "intermediate_size", "max_position_embeddings", "type_vocab_size",
            "embedding_size", "dim", "hidden_dim",
        ),
        Size,
    ),
    **dict.fromkeys(
        (
            "num_hidden_layers", "num_attention_heads", "num_hidden_groups", "inner_group_num",
            "relative_attention_num_buckets", "n_layers", "n_heads",
        ),
        Depth,
    ),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id"), Token),
    **dict.fromkeys(
        ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
        Rate,
    ),
    **dict.fromkeys(("layer_norm_eps", "initializer_range"), Small),
    **dict.fromkeys(("hidden_act", "activation"), Act),
    **dict.fromkeys(("sinusoidal_pos_embds", "tie_weights_", "tie_word_embeddings"), bool),
    **dict.fromkeys(("is_decoder", "add_cross_attention", "is_encoder_decoder"), Literal[False]),
    "position_embedding_type": Literal["absolute", "relative_key", "relative_key_query"],
    "chunk_size_feed_forward": Annotated[int, Field(ge=0, le=2**24)],
}  # fmt: skip
# Names that say nothing of how a text is embedded: they do not reach the library.
TRANSFORMER_LEFT_OUT = frozenset(
    {
        "_name_or_path", "architectures", "classifier_dropout", "classifier_dropout_prob", "directionality",
        "finetuning_task", "gradient_checkpointing", "id2label", "label2id", "net_structure_type", "down_scale_factor",
        "gap_size", "num_memory_blocks", "output_attentions", "output_hidden_states", "output_past",
        "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
        "num_labels", "problem_type", "qa_dropout", "return_dict", "seq_classif_dropout", "summary_activation",
        "summary_last_dropout", "summary_type", "summary_use_proj", "torchscript", "use_bfloat16", "use_cache",
    }
)  # fmt: skip

PLAIN_TEXT = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
LENGTH: Mapping[str, Any] = {
    "max_seq_length": Size | None,
    "do_lower_case": bool,
    "transformer_task": Literal["feature-extraction"],
    "modality_config": dict[Literal["text"], dict[Literal["method", "method_output_name"], Word]],
    "module_output_name": Literal["token_embeddings"],
    **dict.fromkeys(
        ("model_args", "tokenizer_args", "config_args", "model_kwargs", "processor_kwargs", "config_kwargs"),
        Annotated[dict[str, Any], Field(max_length=0)],
    ),
}
POOLING: Mapping[str, Any] = {
    **dict.fromkeys(("word_embedding_dimension", "embedding_dimension"), Size),
    **dict.fromkeys(
        tuple(
            f"pooling_mode_{mode}"
            for mode in (
                "cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken",
            )
        ),
        bool,
    ),
    "pooling_mode": Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"],
    "include_prompt": bool,
}  # fmt: skip
NORMALIZE: Mapping[str, Any] = dict.fromkeys(("module_input_name", "module_output_name"), Literal["sentence_embedding"])
DENSE: Mapping[str, Any] = {
    **dict.fromkeys(("in_features", "out_features"), Size),
    "bias": bool,
    "activation_function": Literal[
        "torch.nn.modules.activation.Tanh", "torch.nn.modules.activation.ReLU", "torch.nn.modules.activation.GELU",
        "torch.nn.modules.activation.SiLU", "torch.nn.modules.activation.Sigmoid", "torch.nn.modules.linear.Identity",
    ],
    **dict.fromkeys(("module_input_name", "module_output_name"), Literal["sentence_embedding"]),
}  # fmt: skip
# Of the parts that come after the Transformer.
AFTER: Mapping[str, Mapping[str, Any]] = {"Pooling": POOLING, "Normalize": NORMALIZE, "Dense": DENSE}
PROMPTS: Mapping[str, Any] = {
    "prompts": dict[str, Word],
    "default_prompt_name": Word | None,
    "similarity_fn_name": Literal["cosine", "dot", "euclidean", "manhattan"] | None,
    "model_type": Literal["SentenceTransformer"],
}

SPECIAL: Mapping[str, Any] = {
    **{f"{name}_token": Added | None for name in ("unk", "sep", "pad", "cls", "mask", "bos", "eos")},
    "additional_special_tokens": list[Added],
    "extra_special_tokens": list[Added] | dict[str, Added],
}
TOKENIZER: Mapping[str, Any] = {
    **SPECIAL,
    "tokenizer_class": Annotated[
        str,
        Field(
            pattern=r"^((Bert|Roberta|XLMRoberta|Camembert|MPNet|DistilBert|Electra|Albert)Tokenizer(Fast)?"
            r"|PreTrainedTokenizerFast|TokenizersBackend)$"
        ),
    ],
    "added_tokens_decoder": dict[Annotated[str, Field(pattern=r"^[0-9]{1,8}$")], Added],
    **dict.fromkeys(("padding_side", "truncation_side"), Literal["left", "right"]),
    **dict.fromkeys(
        (
            "add_prefix_space", "clean_up_tokenization_spaces", "do_basic_tokenize", "do_lower_case", "keep_accents",
            "remove_space", "strip_accents", "tokenize_chinese_chars", "trim_offsets",
        ),
        bool | None,
    ),
    "model_max_length": Annotated[int, Field(ge=1)] | Annotated[float, Field(ge=1, allow_inf_nan=False)],
    "errors": Literal["replace", "strict", "ignore"],
    "backend": Literal["tokenizers"],
}  # fmt: skip
# Paths and addresses, and how the tokenizer was called once.
TOKENIZER_LEFT_OUT = frozenset(
    {
        "name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file", "never_split", "is_local",
        "local_files_only", "max_length", "stride", "truncation_strategy", "pad_to_multiple_of", "pad_token_type_id",
        "sp_model_kwargs",
    }
)  # fmt: skip
