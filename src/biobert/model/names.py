"""What transformers calls the parts of a BERT, and what they are called here."""

# Our module paths and theirs.
EMBEDDING_NAMES = {
    "embeddings.word": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.segment": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
}
LAYER_NAMES = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward.expand": "intermediate.dense",
    "feed_forward.contract": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
# The heads of `BertForPreTraining`, by the kind of our head and its parameter.
LANGUAGE_MODEL_NAMES = {
    "dense.weight": "cls.predictions.transform.dense.weight",
    "dense.bias": "cls.predictions.transform.dense.bias",
    "norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "bias": "cls.predictions.bias",
}
PRETRAINING_NAMES = {
    **{("vocabulary", own): theirs for own, theirs in LANGUAGE_MODEL_NAMES.items()},
    **{("cloze", own): theirs for own, theirs in LANGUAGE_MODEL_NAMES.items()},
    ("sequence", "classifier.weight"): "cls.seq_relationship.weight",
    ("sequence", "classifier.bias"): "cls.seq_relationship.bias",
}


def hugging_face_name(name: str) -> str:
    """`layers.0.attention.query.weight` is `encoder.layer.0.attention.self.query.weight`."""
    module, _, parameter = name.rpartition(".")
    if module.startswith("layers."):
        _, number, part = module.split(".", 2)
        return f"encoder.layer.{number}.{LAYER_NAMES[part]}.{parameter}"
    return f"{EMBEDDING_NAMES.get(module, module)}.{parameter}"
