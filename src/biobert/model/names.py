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
PRETRAINING_NAMES = {
    ("vocabulary", "dense.weight"): "cls.predictions.transform.dense.weight",
    ("vocabulary", "dense.bias"): "cls.predictions.transform.dense.bias",
    ("vocabulary", "norm.weight"): "cls.predictions.transform.LayerNorm.weight",
    ("vocabulary", "norm.bias"): "cls.predictions.transform.LayerNorm.bias",
    ("vocabulary", "bias"): "cls.predictions.bias",
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
