"""AdamW and LAMB, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from audiojourney.errors import AudioJourneyError
from audiojourney.training.settings import LoopConfig

MAX_WEIGHT_NORM = 10.0


class Lamb(Optimizer):
    """LAMB (You et al., 2020) as GenAu trains with: no bias correction, weight norm clamped to 10.

    Per tensor, with m and v the running moments: u = m / (sqrt(v) + eps) + weight_decay * p and
    p <- p - lr * min(|p|, 10) / |u| * u, where the ratio is 1 when either norm is 0. No tensor is spared.

    Args:
        params: tensors to train, or groups of them.
        lr: learning rate.
        betas: decay rates of the moments.
        eps: term that keeps the division finite.
        weight_decay: decoupled decay, part of the update that the ratio scales.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 5e-3,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every tensor that has a gradient; return what `closure` returns, if one is given."""
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                self._update(params, group)
        return value

    def _update(self, params: list[Tensor], group: Mapping[str, Any]) -> None:
        """Move all tensors of one group, each by its own trust ratio."""
        grads = [p.grad for p in params if p.grad is not None]
        means, squares = (self._moments(params, key) for key in ("exp_avg", "exp_avg_sq"))
        beta1, beta2 = group["betas"]
        torch._foreach_mul_(means, beta1)
        torch._foreach_add_(means, grads, alpha=1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, group["eps"])
        updates = torch._foreach_div(means, roots)
        torch._foreach_add_(updates, params, alpha=group["weight_decay"])
        torch._foreach_mul_(updates, trust_ratios(params, list(updates)))
        torch._foreach_add_(params, updates, alpha=-group["lr"])

    def _moments(self, params: list[Tensor], key: str) -> list[Tensor]:
        """Return one running moment of every tensor, zeros where none was kept yet."""
        for param in params:
            if key not in self.state[param]:
                self.state[param][key] = torch.zeros_like(param, memory_format=torch.preserve_format)
        return [self.state[param][key] for param in params]


def trust_ratios(params: list[Tensor], updates: list[Tensor]) -> list[Tensor]:
    """Return min(|p|, 10) / |u| for each pair, 1 where a norm is 0; every item has shape ()."""
    weights = torch.stack(torch._foreach_norm(params)).clamp(max=MAX_WEIGHT_NORM)
    lengths = torch.stack(torch._foreach_norm(updates))
    usable = (weights > 0) & (lengths > 0)
    return list(torch.where(usable, weights / lengths, torch.ones_like(weights)).unbind())


def build_optimizer(config: LoopConfig, module: nn.Module, lr: float) -> Optimizer:
    """Return the optimiser of all trainable tensors of `module`.

    Raises:
        AudioJourneyError: nothing in `module` can be trained.
    """
    params = [param for param in module.parameters() if param.requires_grad]
    if not params:
        raise AudioJourneyError(f"{type(module).__name__} has no trainable tensor.", "Unfreeze a part of it.")
    if config.optimizer == "lamb":
        return Lamb(params, lr, config.betas, config.eps, config.weight_decay)
    matrices = [param for param in params if param.ndim > 1]
    vectors = [param for param in params if param.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return AdamW([group for group in groups if group["params"]], lr=lr, betas=config.betas, eps=config.eps, fused=True)


def optimizer_tensors(optimizer: Optimizer, module: nn.Module) -> dict[str, Tensor]:
    """Return the state of `optimizer` as tensors named "moment/parameter"."""
    names: dict[Tensor, str] = {param: name for name, param in module.named_parameters()}
    state = {}
    for param, values in optimizer.state.items():
        for key, value in values.items():
            state[f"{key}/{names[param]}"] = torch.as_tensor(value)
    return state


def restore_optimizer(optimizer: Optimizer, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` returned; torch moves each tensor to the device of its parameter."""
    numbers: dict[str, int] = {}
    names = {param: name for name, param in module.named_parameters()}
    for group in optimizer.param_groups:
        for param in group["params"]:
            numbers[names[param]] = len(numbers)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        moment, _, name = key.partition("/")
        state.setdefault(numbers[name], {})[moment] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
