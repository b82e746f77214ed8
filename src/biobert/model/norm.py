"""Layer normalisation at the precision of the products around it."""

import torch
from torch import nn
from torch.nn import functional


class LayerNorm(nn.LayerNorm):
    """(x - mean) / deviation * weight + bias over the last dimension, (..., size) to the same.

    Autocast on a GPU would hand on float32, to be cast again by the next product and to be carried
    along as the residual. Here vectors stay in half precision between the layers; mean and
    deviation are taken in float32 by the kernel all the same (Portes et al. 2023,
    arXiv:2312.17482, "low precision layer norm").
    """

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(..., size) to the same shape, in autocast's precision where there is one."""
        device = values.device.type
        if not torch.is_autocast_enabled(device):
            return super().forward(values)
        precision = torch.get_autocast_dtype(device)
        with torch.autocast(device, enabled=False):
            return functional.layer_norm(
                values.to(precision),
                self.normalized_shape,
                self.weight.to(precision),
                self.bias.to(precision),
                self.eps,
            )
