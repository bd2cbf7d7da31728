"""What must always be true of a search over pairs of taps, and where it is tested.

1. Windows, named sets, their ranges and densities: test_tap_space.
2. Windows of opposite skewness are transposes, all pairs of one have its skewness: test_tap_space.
3. Swapped encoders: here (the grid), test_tap_space (the named sets).
4. Samples do not influence each other: test_pair_heads, test_ridge; attention between tokens: test_coattention.
5. Attention of one token is affine, padding counts for nothing: test_coattention.
6. Cached taps are taps read online: here (scores); the encoder is left as it was, and read without dropout:
   nn/taps/test_module_taps, nn/taps/test_tap_cache.
7. Encoders cut short give the same taps and run nothing above: nn/taps/test_module_taps, test_planted_module.
8. Only training rows are fitted: here (heads, means, components), test_tap_scaling, test_planted_search.
9. Metrics: here; against scikit-learn's: statistics/test_metrics.
10. The bootstrap: here (weights), statistics/test_bootstrap, test_uncertainty (a candidate minus itself, bounds).
11. The rule of the sparsest set: here (exact ties), test_selection.
12. Determinism: here, test_planted_search, test_nested.
13. Gates: the tests of the search that has them.
14. No group on two sides of a split: test_nested, training/test_splits.
15. Encoders of unequal depths and widths, three of them, and of one tap: here, test_tap_space.
"""

from itertools import permutations

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.datasets import make_planted_taps
from plait.datasets.planted_taps import planted_inputs
from plait.nn.criteria import criterion_for
from plait.nn.taps import ModuleTaps, TapCache, data_fingerprint, pooled
from plait.skew.heads import TAPS, PairHeads
from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.operators import CLOSED_FORM
from plait.skew.planted_module import PlantedBlocks
from plait.skew.scaling import fit_scalings
from plait.skew.search import ClosedForm
from plait.skew.selection import select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored
from plait.statistics.bootstrap import group_weights
from plait.statistics.metrics import metric_by_name
from plait.training.trainer import Trainer

ACCURACY, UA, AUC = (metric_by_name("classification", name) for name in ("accuracy", "balanced_accuracy", "roc_auc"))
HEADS = HeadSettings(draws=50)


def data_of(taps, target):
    return TapData(taps, target, np.eye(int(target.max()) + 1)[target], np.arange(len(target)))


@pytest.fixture(scope="module")
def planted():
    bunch = make_planted_taps("add", "tiny", random_state=0)
    return data_of(bunch.taps, bunch.target), bunch


@pytest.mark.parametrize("operator", CLOSED_FORM)
def test_swapping_the_encoders_transposes_the_grid(planted, operator):
    """Scores are equal to 1e-6, skewnesses change sign, and the choice is the same pair the other way round."""
    data, bunch = planted
    swapped = data_of({name: data.taps[name] for name in ("b", "a")}, data.target)
    how = ClosedForm((operator,), HEADS, most=1)
    one, two = (how.search(given, bunch.train, bunch.validation, ACCURACY) for given in (data, swapped))
    np.testing.assert_allclose(two.grid(operator), one.grid(operator).T, atol=1e-6, rtol=0)
    assert [pair.swapped for pair in one.selection.pairs] == list(two.selection.pairs)
    for pair in one.space.all():
        assert two.space.skewness(pair.swapped) == -one.space.skewness(pair)
        assert two.space.relative_skewness(pair.swapped) == -one.space.relative_skewness(pair)


def test_scores_of_cached_taps_are_scores_of_taps_read_online(tmp_path):
    """Every pair to 1e-4, and the choice; read in one batch, or in many and kept."""
    bunch = planted_inputs("add", "tiny", n=400, random_state=0)
    searches = []
    for way in ("cached", "online"):
        taps = {}
        for name, arguments in bunch.encoders.items():
            encoder = ModuleTaps(PlantedBlocks(**arguments), "layers.*")
            values = torch.as_tensor(bunch.inputs[name])
            cache = TapCache(tmp_path, batch=64, verbose=0)
            taps[name] = (
                cache.taps(encoder, values, "mean", data_fingerprint(values))
                if way == "cached"
                else [pooled(tap, "mean").numpy() for tap in encoder.read(values)]
            )
        how = ClosedForm(("concat",), HEADS, most=1)
        searches.append(how.search(data_of(taps, bunch.target), bunch.train, bunch.validation, ACCURACY))
    cached, online = searches
    np.testing.assert_allclose(cached.grid("concat"), online.grid("concat"), atol=1e-4, rtol=0)
    assert cached.selection.pairs == online.selection.pairs != ()


@pytest.mark.parametrize("operator", CLOSED_FORM)
def test_rows_that_do_not_train_change_nothing_that_is_fitted(planted, operator):
    """Other taps and targets of validation and test rows: means, components and heads are the same, to the last bit."""
    data, bunch = planted
    rng, train, probe = np.random.default_rng(0), bunch.train[50:], bunch.train[:50]
    other = np.setdiff1d(np.arange(len(data.target)), bunch.train)
    taps = {name: [tap.copy() for tap in own] for name, own in data.taps.items()}
    for own in taps.values():
        for tap in own:
            tap[other] = 100 * rng.normal(size=tap[other].shape)
    target = data.target.copy()
    target[other] = rng.permutation(target[other])
    changed = data_of(taps, target)
    before, after = (fit_scalings(given.taps, train, 3) for given in (data, changed))
    for tap, scaling in before.items():
        for part in ("mean", "scale", "rotation"):
            np.testing.assert_array_equal(getattr(scaling, part), getattr(after[tap], part))
    heads = HeadSettings(rank=3, product_rank=3, draws=2)
    terms = [CLOSED_FORM[operator]((pair,)) for pair in data.space.all()]
    one, two = (Judge(heads, [Split(given, train, probe)], ACCURACY).outputs(terms) for given in (data, changed))
    np.testing.assert_array_equal(one, two)


def test_unweighted_accuracy_is_the_mean_recall():
    """Nine of one class and one of another: by hand, and scikit-learn's macro recall; guessing the frequent is 1/2."""
    target = np.array([0] * 9 + [1])
    outputs = np.eye(2)[np.array([0] * 6 + [1] * 3 + [1])]
    assert UA.score(target, outputs) == pytest.approx((6 / 9 + 1) / 2)
    assert UA.score(target, outputs) == pytest.approx(recall_score(target, outputs.argmax(1), average="macro"))
    assert ACCURACY.score(target, outputs) == pytest.approx(0.7)
    always = np.eye(2)[np.zeros(10, int)]
    assert UA.score(target, always) == pytest.approx(0.5)
    assert ACCURACY.score(target, always) == pytest.approx(0.9)


def test_the_auc_does_not_change_with_what_is_added_to_both_logits():
    """A constant of each example: probabilities are the same, so is the AUC; that of one logit alone is not."""
    rng = torch.Generator().manual_seed(0)
    logits, shift = torch.randn(200, 2, generator=rng).double(), 5 * torch.randn(200, 1, generator=rng).double()
    target = (logits[:, 1] - logits[:, 0] + torch.randn(200, generator=rng) > 0).long().numpy()
    criterion = criterion_for(DataSpec({"a": (1,)}, 2, "classification"))
    one, two = (criterion.expected(criterion.link(given)).numpy() for given in (logits, logits + shift))
    assert AUC.score(target, one) == pytest.approx(AUC.score(target, two), abs=1e-12)
    alone = [AUC.score(target, given.numpy()) for given in (logits, logits + shift)]
    assert abs(alone[0] - alone[1]) > 0.05


def test_heads_in_closed_form_need_no_probabilities_for_the_auc(planted):
    """Their outputs sum to one, so that one of two says what the margin says."""
    _, bunch = planted
    target = bunch.target % 2
    judge = Judge(HEADS, [Split(data_of(bunch.taps, target), bunch.train, bunch.validation)], AUC)
    outputs = judge.outputs([CLOSED_FORM["concat"](judge.space.late())])[0]
    np.testing.assert_allclose(outputs.sum(1), 1, atol=1e-9)


def test_every_draw_of_the_bootstrap_has_as_many_samples():
    """Weights are whole numbers of at least 0 and sum to n; of unequal groups, as many groups are drawn."""
    weights = group_weights(np.arange(37), 100, 0)
    assert (weights.sum(1) == 37).all()
    assert (weights >= 0).all()
    assert (weights == weights.round()).all()
    groups = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 6])
    first = np.searchsorted(groups, np.arange(6))
    assert (group_weights(groups, 100, 0)[:, first].sum(1) == 6).all()


def exactly(*values):
    """Candidates without any spread: ties are exact."""
    return Scored(np.array(values), np.tile(values, (50, 1)))


def test_of_exact_ties_the_fewest_pairs_then_the_shallowest_then_the_least_skewed():
    """In whatever order they come; and nothing at all where no gain is supported."""
    space, taps, alone = TapSpace({"a": 4, "b": 4}), (("a", 4), ("b", 4)), exactly(0.5, 0.4)
    deep, shallow, skewed = (((space.read(pair)),) for pair in [(4, 4), (2, 2), (3, 1)])
    two = (space.read((1, 1)), space.read((1, 2)))
    for sets in permutations([deep, shallow, skewed, two]):
        assert select(space, sets, exactly(*[0.9] * 4), taps, alone).pairs == shallow
        assert select(space, sets, exactly(*[0.5] * 4), taps, alone).pairs == ()
    for one, other, better in ((two, deep, deep), (deep, skewed, skewed), (skewed, shallow, shallow)):
        for sets in ([one, other], [other, one]):
            assert select(space, sets, exactly(0.9, 0.9), taps, alone).pairs == better


def test_closed_form_searches_are_equal_to_the_last_bit(planted):
    """Scores, draws and the choice; whatever was drawn from the global generators before."""
    data, bunch = planted
    how = ClosedForm(("concat", "outer"), HEADS, shortlist=3, most=2)
    found = []
    for seed in range(2):
        np.random.seed(seed)
        torch.manual_seed(seed)
        found.append(how.search(data, bunch.train, bunch.validation, ACCURACY))
    one, two = found
    assert one.fused.drawn.tobytes() == two.fused.drawn.tobytes()
    assert one.alone.values.tobytes() == two.alone.values.tobytes()
    assert (one.sets, one.selection) == (two.sets, two.selection)


def test_trained_heads_are_equal_to_six_digits():
    """One thread on the processor; another seed gives others."""

    def trained(seed):
        draw = torch.Generator().manual_seed(0)
        taps, target = torch.randn(80, 5, 4, generator=draw), torch.eye(2)[torch.randint(2, (80,), generator=draw)]
        fold = torch.where(torch.arange(80) < 60, -1, 0)
        batch = Batch({TAPS: taps}, torch.ones(80, 2, dtype=torch.bool), target, fold)
        space = TapSpace({"a": 2, "b": 3})
        order = [(name, tap) for name, depth in space.depths.items() for tap in range(1, depth + 1)]
        sets = [(pair,) for pair in space.all()]
        net = PairHeads(sets, order, 4, 2, width=3, dropout=0.2, generator=torch.Generator().manual_seed(seed))
        data = TrainingData(batch, DataSpec({"a": (4,), "b": (4,)}, 2, "classification"))
        Trainer(epochs=2, batch_size=30, device="cpu", threads=1).run(net, data, seed)
        with torch.no_grad():
            return net(batch.features, batch.present)

    torch.testing.assert_close(trained(0), trained(0), atol=1e-6, rtol=0)
    assert (trained(0) - trained(1)).abs().max() > 1e-3


@pytest.mark.parametrize(
    "widths",
    [
        {"a": [3, 5, 4, 6], "b": [4] * 10},
        {"a": [3, 8], "b": [4, 2, 5], "c": [6, 3]},
        {"a": [5], "b": [4, 3, 7]},
        {"a": [1], "b": [2]},
    ],
    ids=["4 and 10 taps", "three encoders", "one tap", "one pair"],
)
def test_unequal_encoders_can_be_searched(widths):
    """Any depths, any widths, any number: every pair has its score, and the pair that carries the target is found."""
    rng, n = np.random.default_rng(0), 400
    codes = rng.choice([-1.0, 1.0], size=(n, 2))
    taps = {name: [rng.normal(size=(n, width)) for width in own] for name, own in widths.items()}
    first, *_, last = widths
    taps[first][-1][:, 0], taps[last][0][:, -1] = codes.T + 0.1 * rng.normal(size=(2, n))
    target = ((codes > 0) @ [2, 1]).astype(int)
    how = ClosedForm(("concat", "outer"), HeadSettings(rank=4, product_rank=3, draws=50), shortlist=3, most=2)
    found = how.search(data_of(taps, target), np.arange(250), np.arange(250, n), ACCURACY)
    depths = {name: len(own) for name, own in widths.items()}
    assert found.space.depths == depths
    for edge in found.space.edges:
        assert found.grid("outer", edge).shape == tuple(depths[name] for name in edge)
    (pair,) = found.selection.pairs
    assert (pair.first, pair.i, pair.second, pair.j) == (first, depths[first], last, 1)
