"""FIT against the published numbers, and what must hold for any weights."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from audiojourney.errors import UsageError
from audiojourney.models.base import Condition
from audiojourney.models.fit import FIT, INIT_SCALE, SelfAttentionLayer
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.fit_layers import Attention, FeedForward, TimeFeatures
from audiojourney.models.genau.sizes import fit_sizes

SMALL = FITConfig(
    channels=4,
    length=24,
    patch=2,
    group=3,
    patch_width=16,
    latent_width=24,
    latent_count=8,
    context_width=16,
    text_width=6,
    blocks=2,
    local_layers=1,
    global_layers=1,
    dim_head=8,
    dropout=0.0,
)


def build(config: FITConfig = SMALL, seed: int = 0) -> FIT:
    """A FIT with all weights far from special values, self-conditioning included."""
    torch.manual_seed(seed)
    fit = FIT(config).eval()
    with torch.no_grad():
        for name, parameter in fit.named_parameters():
            parameter.add_(0.1 * torch.randn_like(parameter) if "gamma" in name else 0)
    return fit


def inputs(config: FITConfig = SMALL, batch: int = 2, length: int | None = None) -> tuple[Tensor, Tensor, Condition]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(batch, config.channels, length or config.length, generator=generator)
    pooled = torch.randn(batch, config.text_width, generator=generator)
    return x, torch.tensor([7, 640, 999][:batch]), Condition(pooled, dataset_ids=torch.tensor([0, 5, 31][:batch]))


@pytest.fixture(params=["fit_tiny_patch1", "fit_tiny_patch2"])
def published(request: pytest.FixtureRequest, shared_fixtures: Path) -> tuple[FIT, dict[str, Tensor], dict[str, float]]:
    """A FIT with the weights of a reference file, the numbers of that file, and its tolerance."""
    path = shared_fixtures / "genau" / request.param
    numbers, notes = (
        load_file(path.with_suffix(".safetensors")),
        json.loads(path.with_suffix(".json").read_text("utf-8")),
    )
    compact = notes["compact_config"]
    state = {name[3:]: tensor for name, tensor in numbers.items() if name.startswith("sd.")}
    sizes = fit_sizes(
        state, group=compact["group_size"], dim_head=compact["dim_head"], channels=compact["input_channels"]
    )
    fit = FIT(sizes).eval()
    fit.load_state_dict(state)
    assert sum(p.numel() for p in fit.parameters()) == notes["parameters"]
    tolerance = {"atol": notes["tolerance"]["atol"], "rtol": notes["tolerance"]["rtol"]}
    return fit, numbers, tolerance


def published_inputs(numbers: dict[str, Tensor]) -> tuple[Tensor, Tensor, Condition]:
    condition = Condition(numbers["in.text"][:, 0], dataset_ids=numbers["in.dataset_id"])
    return numbers["in.x"][..., 0], numbers["in.t"], condition


def test_published_outputs(published):
    fit, numbers, tolerance = published
    x, t, condition = published_inputs(numbers)
    with torch.no_grad():
        prediction, latents = fit.predict(x, t, condition)
        torch.testing.assert_close(prediction, numbers["out.eps"][..., 0], **tolerance)
        torch.testing.assert_close(latents, numbers["out.latents"], **tolerance)
        again, final = fit.predict(x, t, condition, latents)
        torch.testing.assert_close(again, numbers["out_selfcond.eps"][..., 0], **tolerance)
        torch.testing.assert_close(final, numbers["out_selfcond.latents"], **tolerance)
        masked, _ = fit.predict(x, t, condition, latents, numbers["in.selfcond_mask"])
        torch.testing.assert_close(masked, numbers["out_selfcond_masked.eps"][..., 0], **tolerance)


def test_published_intermediate_values(published):
    fit, numbers, tolerance = published
    x, t, condition = published_inputs(numbers)
    config, seen = fit.config, {}

    def keep(name: str, residual: bool = False) -> object:
        def hook(module: nn.Module, args: tuple, out: Tensor) -> None:
            seen[name] = out + args[0] if residual else out

        return hook

    first = fit.blocks[0]
    hooks = {
        "time_fourier": (fit.time_mlp[0], False),
        "time_embedding": (fit.time_mlp, False),
        "dataset_embedding": (fit.dataset_id_conditioning_mlp, False),
        "text_token": (fit.context_projection_summary_text_embeddings, False),
        "patches_before_pe": (fit.to_patches, False),
        "block0.local0.attn": (first.local_layers[0][0], False),
        "block0.local0.ff": (first.local_layers[0][1], False),
        "block0.read_context": (first.latents_attend_to_context, False),
        "block0.read": (first.latents_attend_to_patches, False),
        "block0.write": (first.patches_attend_to_latents, False),
    }
    handles = [module.register_forward_hook(keep(name, residual)) for name, (module, residual) in hooks.items()]
    with torch.no_grad():
        context, _ = fit.context(t, condition)
        patches, latents = fit._embed(x, config.groups), fit._start(len(x), config.groups, None, None)
        for index, block in enumerate(fit.blocks[: config.blocks]):
            patches, latents = block(patches, latents, context, None)
            seen[f"block{index}.patches"], seen[f"block{index}.latents"] = patches, latents
        seen[f"block{config.blocks}.patches"] = fit.blocks[config.blocks](patches)
    for handle in handles:
        handle.remove()
    wanted = {name.removeprefix("mid."): tensor for name, tensor in numbers.items() if name.startswith("mid.")}
    wanted.pop(f"block{config.blocks}.latents")  # the last block has no latents of its own
    assert set(wanted) <= set(seen)
    for name, tensor in wanted.items():
        torch.testing.assert_close(
            seen[name].reshape(tensor.shape), tensor, **tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_published_loss_and_gradients(published):
    fit, numbers, tolerance = published
    x, t, condition = published_inputs(numbers)
    loss = (fit(x, t, condition) - numbers["in.noise_target"][..., 0]).square().mean((1, 2)).mean()
    loss.backward()
    torch.testing.assert_close(loss[None], numbers["loss.mse"], **tolerance)
    gradients = {name: parameter.grad for name, parameter in fit.named_parameters()}
    for name, tensor in numbers.items():
        if name.startswith("grad."):
            torch.testing.assert_close(gradients[name.removeprefix("grad.")], tensor, **tolerance)
    idle = {name for name, gradient in gradients.items() if gradient is None}
    assert idle == {name for name in gradients if name.startswith("self_conditioning_latents_projection")}
    norm = torch.stack([g.norm() for g in gradients.values() if g is not None]).norm()
    torch.testing.assert_close(norm[None], numbers["loss.grad_norm"], **tolerance)


@pytest.mark.parametrize(
    ("config", "parameters", "tensors"),
    [
        (FITConfig.small(), 493_366_344, 468),
        (FITConfig.large(), 1_248_783_432, 1152),
        (FITConfig.tiny(), 2_727_240, None),
        (replace(FITConfig.small(), blocks=3, global_layers=7), 493_363_272, None),
        (replace(FITConfig.small(), blocks=6, latent_width=1536), 1_252_937_288, 678),
        (
            replace(FITConfig.small(), patch_width=512, latent_width=512, blocks=2, latent_count=64, patch=2, group=16),
            70_112_904,
            258,
        ),
    ],
)
def test_published_parameter_counts(config: FITConfig, parameters: int, tensors: int | None):
    with torch.device("meta"):
        fit = FIT(config)
    assert sum(p.numel() for p in fit.parameters()) == parameters
    assert tensors is None or len(fit.state_dict()) == tensors


def test_sizes_come_back_from_tensors():
    config = replace(SMALL, dropout=0.1, token_width=5, global_layers=2)
    state = FIT(config).state_dict()
    found = fit_sizes(state, group=config.group, dim_head=config.dim_head, channels=config.channels)
    assert found == replace(config, read_inner=16, context_inner=16)


def test_one_group_over_all_patches_is_plain_self_attention():
    """With a single group, a local layer equals torch's own attention over the whole sequence."""
    config = replace(SMALL, group=12, latent_count=4)
    fit = build(config)
    block, width = fit.blocks[-1], config.patch_width
    layer, x = block.local_layers[0], torch.randn(2, config.patches, width)
    attention = layer[0]
    plain = nn.MultiheadAttention(width, width // config.dim_head, bias=False, batch_first=True)
    with torch.no_grad():
        plain.in_proj_weight.copy_(torch.cat([attention.to_q.weight, attention.to_kv.weight]))
        plain.out_proj.weight.copy_(attention.to_out.weight)
        normal = attention.norm(x)
        expected = x + plain(normal, normal, normal, need_weights=False)[0]
        expected = expected + layer[1](expected)
        torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


def test_groups_do_not_see_each_other_in_local_layers():
    fit = build()
    block, patches = fit.blocks[-1], torch.randn(1, SMALL.patches, SMALL.patch_width)
    moved = patches.clone()
    moved[:, 0] += torch.randn(16)  # not a constant, which normalisation would remove
    with torch.no_grad():
        change = (block(moved) - block(patches)).abs().amax(-1)[0]
    assert (change[: SMALL.group] > 1e-4).all()
    assert (change[SMALL.group :] == 0).all()


def test_read_and_write_stay_within_a_group():
    fit, groups = build(), SMALL.groups
    block = fit.blocks[0]
    patches, latents = torch.randn(1, SMALL.patches, 16), torch.randn(1, SMALL.latent_count, 24)
    owners = torch.arange(SMALL.latent_count) // SMALL.group_latents
    with torch.no_grad():
        for group in range(groups):
            moved = patches.clone()
            moved[:, group * SMALL.group] += torch.randn(16)
            change = (block._read(moved, latents) - block._read(patches, latents)).abs().amax(-1)[0]
            assert torch.equal(change > 0, owners == group)
            pushed = latents.clone()
            pushed[:, group * SMALL.group_latents] += torch.randn(24)
            change = (block._write(patches, pushed) - block._write(patches, latents)).abs().amax(-1)[0]
            assert torch.equal(change > 0, torch.arange(SMALL.patches) // SMALL.group == group)


def test_global_layers_reach_every_patch():
    fit = build()
    x, t, condition = inputs(batch=1)
    moved = x.clone()
    moved[:, :, 0] += 1
    with torch.no_grad():
        change = (fit(moved, t, condition) - fit(x, t, condition)).abs().amax(1)[0]
    assert (change > 0).all()


@settings(max_examples=12, deadline=None)
@given(groups=st.integers(1, 4), patch=st.sampled_from([1, 2, 3]), batch=st.integers(1, 3))
def test_shapes_and_rows_for_any_grouping(groups: int, patch: int, batch: int):
    config = replace(SMALL, patch=patch, length=groups * 3 * patch, latent_count=2 * groups)
    fit = build(config)
    x, t, condition = inputs(config, batch)
    with torch.no_grad():
        prediction, latents = fit.predict(x, t, condition)
        assert prediction.shape == x.shape
        assert latents.shape == (batch, config.latent_count, config.latent_width)
        alone = fit(x[-1:], t[-1:], Condition(condition.pooled[-1:], dataset_ids=condition.dataset_ids[-1:]))
    torch.testing.assert_close(alone, prediction[-1:], atol=1e-5, rtol=1e-4)


def test_patches_are_cut_channel_by_channel():
    fit = build()
    x = torch.arange(4 * 24.0).view(1, 4, 24)
    fit.to_patches = nn.Identity()
    fit.patches_pe = nn.Parameter(torch.zeros(12, 8))
    patches = fit._embed(x, SMALL.groups)
    assert patches[0, 1].tolist() == [2, 3, 26, 27, 50, 51, 74, 75]
    assert torch.equal(fit._unpatch(patches), x)


def test_keys_are_the_first_half_of_to_kv():
    attention = Attention(8, 8, 4)
    x = torch.randn(1, 5, 8)
    with torch.no_grad():
        normal = F.layer_norm(x, (8,))
        queries, keys, values = (
            (normal @ weight.T).view(1, 5, 2, 4).transpose(1, 2)
            for weight in (attention.to_q.weight, attention.to_kv.weight[:8], attention.to_kv.weight[8:])
        )
        shares = (queries @ keys.transpose(2, 3) / math.sqrt(4)).softmax(-1)
        expected = (shares @ values).transpose(1, 2).reshape(1, 5, 8) @ attention.to_out.weight.T
        torch.testing.assert_close(attention(x), expected)


@pytest.mark.parametrize(("dropout", "last"), [(0.1, "net.3"), (0.0, "net.2")])
def test_dropout_moves_the_second_linear_layer(dropout: float, last: str):
    names = set(FIT(replace(SMALL, dropout=dropout)).state_dict())
    for layers in ("local_layers", "global_layers"):
        assert f"blocks.0.{layers}.0.1.{last}.weight" in names
    for always in ("latents_cross_attn_ff", "latents_context_attn_ff", "patches_cross_attn_ff"):
        assert f"blocks.0.{always}.net.2.weight" in names
    assert "self_conditioning_latents_projection.0.net.2.weight" in names


def test_beta_is_saved_but_never_trained():
    fit = FIT(SMALL)
    betas = [name for name in fit.state_dict() if name.endswith("beta")]
    assert "patch_to_pixels.0.beta" in betas
    assert not [name for name, _ in fit.named_parameters() if name.endswith("beta")]
    assert all(not fit.state_dict()[name].any() for name in betas)


def test_time_enters_raw_and_in_the_published_order():
    features = TimeFeatures(2)
    with torch.no_grad():
        features.weights.copy_(torch.tensor([0.5, -1.3]))
        out = features(torch.tensor([999]))[0]
    phase = (torch.tensor(999.0) * torch.tensor([0.5, -1.3])) * 2 * math.pi
    assert torch.equal(out, torch.cat([torch.tensor([999.0]), phase.sin(), phase.cos()]))


def test_context_is_text_then_time_then_dataset():
    fit = build()
    _, t, condition = inputs(batch=1)
    with torch.no_grad():
        base, mask = fit.context(t, condition)
        changes = [
            fit.context(t, replace(condition, pooled=condition.pooled + 1))[0],
            fit.context(t + 1, condition)[0],
            fit.context(t, replace(condition, dataset_ids=condition.dataset_ids + 1))[0],
        ]
    assert base.shape == (1, 3, SMALL.context_width)
    assert mask is None
    for place, changed in enumerate(changes):
        assert [(changed - base).abs().sum(-1)[0, i].item() > 0 for i in range(3)] == [i == place for i in range(3)]


def test_no_dataset_means_the_first_one():
    fit = build()
    x, t, condition = inputs(batch=1)
    with torch.no_grad():
        without = fit(x, t, replace(condition, dataset_ids=None))
        assert torch.equal(without, fit(x, t, replace(condition, dataset_ids=torch.tensor([0]))))
        assert not torch.equal(without, fit(x, t, replace(condition, dataset_ids=torch.tensor([3]))))


def test_self_conditioning_is_off_in_a_fresh_network():
    torch.manual_seed(0)
    fit = FIT(SMALL).eval()
    x, t, condition = inputs()
    with torch.no_grad():
        prediction, latents = fit.predict(x, t, condition)
        assert torch.equal(fit.predict(x, t, condition, latents)[0], prediction)
        assert not fit.uses_previous
        fit.get_parameter("self_conditioning_latents_projection.1.gamma")[3] = 0.2
        assert fit.uses_previous
        assert not torch.equal(fit.predict(x, t, condition, latents)[0], prediction)


def test_first_groups_serve_shorter_sounds():
    """A shorter sound equals the start of a long one when groups cannot talk: global layers are all that joins them."""
    config = replace(SMALL, global_layers=0)
    fit = build(config)
    x, t, condition = inputs(config)
    with torch.no_grad():
        whole, part = fit(x, t, condition), fit(x[:, :, :12], t, condition)
    torch.testing.assert_close(part, whole[:, :, :12], atol=1e-5, rtol=1e-4)
    assert fit.predict(x[:, :, :6], t, condition)[1].shape == (2, config.group_latents, config.latent_width)


def test_without_local_layers_there_is_no_last_block():
    config = replace(SMALL, local_layers=0)
    fit = build(config)
    assert len(fit.blocks) == config.blocks
    x, t, condition = inputs(config)
    assert fit(x, t, condition).shape == x.shape


@pytest.mark.parametrize("length", [5, 7, 30, 0])
def test_lengths_that_fill_no_group_are_refused(length: int):
    with pytest.raises(UsageError, match=f"{length} latent frames.*multiple of 6, at most 24"):
        build()(torch.zeros(1, 4, length), torch.tensor([1]), Condition(torch.zeros(1, 6)))


def test_words_are_further_context():
    config = replace(SMALL, token_width=5)
    fit = build(config)
    x, t, condition = inputs(config)
    words = torch.randn(2, 3, 5)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    with torch.no_grad():
        said = fit(x, t, replace(condition, tokens=words, mask=mask))
        hidden = words.clone()
        hidden[0, 2] += 9
        assert torch.equal(fit(x, t, replace(condition, tokens=hidden, mask=mask)), said)
        hidden[0, 1] += 9
        assert not torch.allclose(fit(x, t, replace(condition, tokens=hidden, mask=mask))[0], said[0])
        shorter = replace(
            condition, pooled=condition.pooled[:1], dataset_ids=condition.dataset_ids[:1], tokens=words[:1, :2]
        )
        torch.testing.assert_close(fit(x[:1], t[:1], shorter), said[:1], atol=1e-5, rtol=1e-4)
    with pytest.raises(UsageError, match="token_width 5 needs word tokens"):
        fit(x, t, condition)


def test_words_are_off_by_default():
    fit = build()
    x, t, condition = inputs()
    assert not [name for name in fit.state_dict() if "word" in name]
    with torch.no_grad():
        assert torch.equal(fit(x, t, replace(condition, tokens=torch.randn(2, 3, 5))), fit(x, t, condition))


def test_time_stays_exact_under_bfloat16():
    """bfloat16 has the same value for 998 and 999; the time token must still tell them apart."""
    fit = build()
    _, _, condition = inputs(batch=1)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        early, late = (fit.context(torch.tensor([t]), condition)[0][:, 1] for t in (998, 999))
    exact = fit.context(torch.tensor([999]), condition)[0][:, 1]
    assert (early - late).abs().max() > 1e-2
    torch.testing.assert_close(late.float(), exact.detach(), atol=2e-2, rtol=2e-2)


def test_bfloat16_stays_close():
    fit = build()
    x, t, condition = inputs()
    with torch.no_grad():
        exact = fit(x, t, condition)
        with torch.autocast("cpu", torch.bfloat16):
            near = fit(x, t, condition).float()
    assert not torch.equal(near, exact)
    assert (near - exact).norm() / exact.norm() < 0.03


def test_initial_values_follow_the_recipe():
    torch.manual_seed(0)
    fit = FIT(replace(SMALL, patch_width=256, latent_width=256, context_width=128))
    plain = 1 / math.sqrt(256) / math.sqrt(3)  # deviation of nn.Linear's uniform initialisation
    scaled = fit.blocks[0].local_layers[0][0].to_q.weight.std().item()
    assert scaled == pytest.approx(INIT_SCALE * plain, rel=0.03)
    assert fit.patch_to_pixels[1].weight.std().item() == pytest.approx(INIT_SCALE * plain, rel=0.05)
    time = fit.time_mlp[3].weight.std().item()
    assert time == pytest.approx(1 / math.sqrt(1024) / math.sqrt(3), rel=0.03)
    assert fit.latents.std().item() == pytest.approx(0.02, rel=0.1)
    assert fit.patches_pe.std().item() == pytest.approx(0.02, rel=0.1)


def test_dropout_acts_in_training_only_in_local_and_global_layers():
    layer, plain = SelfAttentionLayer(16, 8, 0.5), FeedForward(16)
    x = torch.randn(1, 4, 16)
    assert not torch.equal(layer(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))
    assert torch.equal(plain.train()(x), plain(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": 5}, "length 24 is not a multiple of patch 2 times group 5"),
        ({"latent_count": 10}, "latent_count 10 is not a multiple of the 4 groups"),
        ({"dim_head": 5}, "width 16 is not a multiple of dim_head 5"),
    ],
)
def test_sizes_that_cannot_be_are_refused(change: dict[str, int], message: str):
    with pytest.raises(UsageError, match=message):
        replace(SMALL, **change)


class CopyCounter(TorchDispatchMode):
    """Counts the operations that move whole tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += any(name in str(func) for name in ("clone", "copy", "contiguous"))
        return func(*args, **(kwargs or {}))


def test_blocks_copy_nothing():
    """Groups, heads, keys and values are views: more blocks do not mean more copies."""
    counts = []
    for blocks in (1, 3):
        fit = build(replace(SMALL, blocks=blocks)).requires_grad_(False)
        with torch.no_grad(), CopyCounter() as counter:
            fit(*inputs())
        counts.append(counter.count)
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_compiled_network_gives_the_same():
    fit = build()
    compiled = torch.compile(fit.predict)
    x, t, condition = inputs()
    with torch.no_grad():
        prediction, latents = fit.predict(x, t, condition)
        torch.testing.assert_close(compiled(x, t, condition)[0], prediction, atol=1e-5, rtol=1e-4)
        again = compiled(x, t, condition, latents)[0]
        torch.testing.assert_close(again, fit.predict(x, t, condition, latents)[0], atol=1e-5, rtol=1e-4)
