"""What an adapter is: its kind and sizes. No torch here: recipes read it too."""

from dataclasses import dataclass

from biobert.core.errors import BadInputError
from biobert.core.settings import refuse_unread

READ_BY = {
    "rank": ("lora",),
    "alpha": ("lora",),
    "dropout": ("lora",),
    "size": ("bottleneck",),
    "length": ("prefix", "prompt"),
    "targets": ("lora", "ia3", "bottleneck"),
}
"""Which kinds read a setting."""


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """A few new weights in an encoder that stays as it is; heads are trained with them.

    `lora` adds `alpha / rank` times a product of two matrices of this `rank` to the query and value
    projections (arXiv:2106.09685), with `dropout` before it. `ia3` multiplies keys, values and the
    inner feed-forward by vectors (arXiv:2205.05638). `bottleneck` puts a small network of width
    `size` behind both parts of every layer and trains the norms (arXiv:1902.00751). `prefix` gives
    every attention `length` keys and values more (arXiv:2101.00190; trained directly, as in
    arXiv:2110.07602), `prompt` every row `length` word vectors more (arXiv:2104.08691). `targets`
    names other linear layers for the first three, by the ends of their names.
    """

    kind: str = "lora"
    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    size: int = 64
    length: int = 20
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rank", "size", "length"):
            if getattr(self, name) < 1:
                raise BadInputError(f"[adapter] {name} = {getattr(self, name)}: at least 1")
        self._refuse_unread()
        if not 0.0 <= self.dropout < 1.0:
            raise BadInputError(f"[adapter] dropout = {self.dropout}: from 0, less than 1")

    def _refuse_unread(self) -> None:
        if not any(self.kind in kinds for kinds in READ_BY.values()):
            return  # A kind from elsewhere, which reads what it wants.
        for name, kinds in READ_BY.items():
            if self.kind not in kinds:
                reader = f"kind = {' or '.join(map(repr, kinds))}"
                refuse_unread(self, [name], place=f"[adapter] kind = {self.kind!r},", reader=reader)
