"""What step blocks learn: small problems that need what they are for (specification, 7.2, items 1 to 6)."""

from itertools import pairwise

import pytest
import torch
from small_blocks import generator
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from plait.nn import StepFusionBlock


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def trained(modules, loss, steps=200, rate=0.01):
    """Modules after steps of Adam on a loss of the step's number."""
    optimiser = torch.optim.Adam(modules.parameters(), rate, fused=True)
    for step in range(steps):
        optimiser.zero_grad()
        loss(step).backward()
        optimiser.step()
    return modules.eval()


def linear(inputs, outputs):
    torch.manual_seed(0)
    return nn.Linear(inputs, outputs)


def explained(found, target):
    """R squared."""
    return 1 - ((found - target).square().mean() / target.var(correction=0)).item()


def xor_accuracy(**options):
    """Of telling equal signs from unlike ones on new data, one sign in each modality along a direction of its own.

    Both have the common width and the head reads their mean as it is, so that the product must be made in the steps:
    a normalisation after a learned layer can make it as well.
    """
    along = draw(2, 1, 16, seed=1)
    options = {"joint": "mean", "local": False, "dropout": 0.0, **options}
    made = StepFusionBlock({"a": 16, "b": 16}, 16, generator=generator(), **options)
    made.join.norm = nn.Identity()
    both = nn.ModuleList([made, linear(16, 2)])

    def outcome(seed, count=256):
        signs = draw(2, count, 1, seed=seed).sign()
        one, other = signs * along + 0.5 * draw(2, count, 16, seed=-1 - seed)
        return both[1](made({"a": one, "b": other}).z), (signs[0] != signs[1]).long()[:, 0]

    trained(both, lambda step: cross_entropy(*outcome(step, 64)), 80, 0.02)
    with torch.no_grad():
        scores, label = outcome(10_000, 2000)
    return (scores.argmax(1) == label).double().mean().item()


@pytest.mark.parametrize(("shift", "steps"), [("toward", 2), ("film", 1)])
def test_steps_make_an_exclusive_or(shift, steps):
    """7.2-1: a linear head on the mean of two modalities, moved by each other, tells their signs alike from unlike."""
    assert xor_accuracy(shift=shift, steps=steps) > 0.95


@pytest.mark.parametrize("options", [{"steps": 0}, {"variant": "literal", "phi": "none", "steps": 4}], ids=str)
def test_without_guided_steps_there_is_no_exclusive_or(options):
    """7.2-1: neither without steps nor with static matrices."""
    assert xor_accuracy(**options) < 0.85


@pytest.mark.parametrize(("steps", "low", "high"), [(0, -1.0, 0.2), (2, 0.95, 1.0)])
def test_zoom_by_the_other_modality_multiplies(steps, low, high):
    """7.2-2: u v is linear in the moved features, and not in those that are not moved."""
    made = StepFusionBlock({"a": 4, "b": 4}, 16, steps=steps, local=False, dropout=0.0, generator=generator())
    both = nn.ModuleList([made, linear(32, 1)])

    def outcome(one, other):
        return both[1](made({"a": one, "b": other}).pooled.flatten(1))[:, 0], one[:, 0] * other[:, 0]

    trained(both, lambda step: mse_loss(*outcome(draw(256, 4, seed=2 * step), draw(256, 4, seed=2 * step + 1))), 160)
    with torch.no_grad():
        assert low < explained(*outcome(draw(2000, 4, seed=10_000), draw(2000, 4, seed=10_001))) <= high


def keyed(seed, batch=128, keys=4):
    """Tokens of keys in any order; tokens of keys in another order with a value each; the value of each key."""
    one, other = (torch.rand(batch, keys, generator=generator(2 * seed + place)).argsort(1) for place in (0, 1))
    value, table = draw(batch, keys, seed=seed), torch.eye(keys)
    tokens = {"a": table[one], "b": torch.cat([table[other], value.gather(1, other)[..., None]], 2)}
    return tokens, value.gather(1, one)


@pytest.mark.parametrize(("local", "low", "high"), [(True, 0.0, 0.05), (False, 0.5, 2.0)])
def test_tokens_find_their_partner_by_local_guidance_alone(local, low, high):
    """7.2-3: the value of the guide's token with the same key; error as a part of the variance."""
    options = {"heads": 2, "steps": 1, "local": local, "dropout": 0.0, "rotation": "none"}
    made = StepFusionBlock({"a": 4, "b": 5}, 16, generator=generator(), **options)
    both = nn.ModuleList([made, linear(16, 1)])

    def outcome(seed):
        tokens, target = keyed(seed)
        return both[1](made(tokens).tokens["a"])[..., 0], target

    trained(both, lambda step: mse_loss(*outcome(step)), 180, 0.02)
    with torch.no_grad():
        assert low <= 1 - explained(*outcome(10_000)) < high


@pytest.mark.slow
def test_lengths_differ_and_modalities_lack():
    """7.2-4: three modalities of 7, 4 and 1 tokens, a fifth of them absent: no NaN, and all are better than one."""
    widths, lengths = {"a": 3, "b": 5, "c": 4}, {"a": 7, "b": 4, "c": 1}
    made = StepFusionBlock(widths, 16, heads=2, steps=3, generator=generator())
    both = nn.ModuleList([made, linear(16, 3)])
    means = {name: draw(3, 1, size, seed=ord(name)) for name, size in widths.items()}

    def batch(seed, count=128):
        label = torch.randint(3, (count,), generator=generator(seed))
        noise = {name: draw(count, lengths[name], widths[name], seed=seed * 7 + ord(name)) for name in widths}
        present = torch.rand(count, 3, generator=generator(seed)) > 0.2
        present[:, 0] |= ~present.any(1)
        return {name: 0.8 * means[name][label] + 2 * noise[name] for name in widths}, label, present

    def loss(step):
        values, label, present = batch(step)
        found = cross_entropy(both[1](made(values, present).z), label)
        assert torch.isfinite(found)
        return found

    trained(both, loss, 150)
    values, label, _ = batch(10_000, 1000)

    def accuracy(*names):
        present = torch.tensor([name in names for name in widths]).expand(1000, 3)
        return (both[1](made(values, present).z).argmax(1) == label).double().mean().item()

    with torch.no_grad():
        alone = [accuracy(name) for name in widths]
        assert accuracy("a", "b", "c") >= max(alone)
    assert max(alone) > 0.4


def cka(one, other):
    """Linear centred kernel alignment."""
    one, other = one - one.mean(0), other - other.mean(0)
    return ((one.T @ other).norm() ** 2 / (one.T @ one).norm() / (other.T @ other).norm()).item()


def gap(one, other):
    """Mean squared distance by the sum of the variances."""
    return ((one - other).square().sum(1).mean() / (one.var(0).sum() + other.var(0).sum())).item()


class Twins:
    """Two noisy functions of a latent variable, one linear and one not, and what is to be predicted from both."""

    def __init__(self):
        self.mix, self.bend = draw(6, 12, seed=1), draw(6, 10, seed=2)

    def batch(self, seed, count=256):
        latent = draw(count, 6, seed=3 + 3 * seed)
        one = latent @ self.mix + 0.3 * draw(count, 12, seed=4 + 3 * seed)
        other = 2 * torch.tanh(latent @ self.bend / 2) + 1 + 0.3 * draw(count, 10, seed=5 + 3 * seed)
        target = torch.stack([latent[:, 0] * latent[:, 1], latent[:, 2].sin(), latent[:, 3].abs()], 1)
        return {"a": one, "b": other}, target


def aligned(weight=0.0, steps=4, trainings=200, **options):
    """CKA and gap of the two modalities at every moment, after training on the task (and for alignment)."""
    torch.manual_seed(0)
    made = StepFusionBlock({"a": 12, "b": 10}, 24, local=False, steps=steps, generator=generator(), **options)
    both = nn.ModuleList([made, nn.Sequential(nn.Linear(72, 48), nn.GELU(), nn.Linear(48, 3))])
    twins = Twins()

    def loss(step):
        values, target = twins.batch(step)
        found = made(values)
        task = mse_loss(both[1](torch.cat([found.pooled.flatten(1), found.joint], 1)), target)
        return task + weight * made.alignment_loss(found, "mse") if weight else task

    trained(both, loss, trainings, 3e-3)
    with torch.no_grad():
        pooled = made(twins.batch(10_000, 2000)[0], return_trace=True).trace.pooled
    return [[measure(*moment.unbind(1)) for moment in pooled] for measure in (cka, gap)]


def test_untrained_steps_close_the_gap():
    """7.2-5 (i): towards each other, the gap falls in every step."""
    _, gaps = aligned(trainings=0)
    assert all(later < earlier for earlier, later in pairwise(gaps))


@pytest.mark.slow
def test_more_steps_align_more_finely():
    """7.2-5 (ii): towards each other, trained on the task alone, CKA rises by 0.15, and more with four steps."""
    four, _ = aligned(trainings=200)
    two, _ = aligned(steps=2, trainings=200)
    assert four[-1] >= four[0] + 0.15
    assert four[-1] > two[-1] + 0.03


@pytest.mark.slow
def test_free_displacements_align_where_a_loss_asks_for_it():
    """7.2-5 (iii): with the loss at 0.3, CKA rises by 0.15, the gap falls to a fifth; without, nothing is promised."""
    similar, gaps = aligned(0.3, trainings=200, shift="film")
    assert similar[-1] >= similar[0] + 0.15
    assert gaps[-1] < 0.2 * gaps[0]


@pytest.mark.slow
def test_later_moments_predict_no_worse():
    """7.2-6: with a loss at every step (weights k / K), the loss of the head on z does not rise with the steps."""
    made = StepFusionBlock({"a": 12, "b": 10}, 24, local=False, dropout=0.0, generator=generator())
    both, twins = nn.ModuleList([made, linear(24, 3)]), Twins()

    def losses(seed, count=256):
        values, target = twins.batch(seed, count)
        moments = both[1](made(values, return_moments=True).moments)
        return (moments - target).square().mean((1, 2))

    weights = torch.arange(5) / 4
    trained(both, lambda step: (losses(step) * weights).sum(), 80)
    with torch.no_grad():
        found = losses(10_000, 2000)
    assert (found[1:] <= 1.05 * found[:-1]).all()
    assert found[-1] < found[0]
