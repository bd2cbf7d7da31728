"""Skew-pair fusion as a method: taps of any encoder, the search, the sparsest network, its way to disk and back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lookups import Lookup
from sklearn.base import clone
from torch import nn

from plait import (
    FusionClassifier,
    FusionRegressor,
    LateFusion,
    Modalities,
    SkewPairFusion,
    Trainer,
    load,
    save,
)
from plait.datasets.planted_taps import make_planted_taps
from plait.nn.taps import ModuleTaps, SmallVectorNet
from tiny import samples

QUICK = {"draws": 60, "rank": 8, "most": 1, "scan": ("concat",), "shortlist": 2}
TRAINER = Trainer(epochs=30, learning_rate=1e-2, batch_size=128, threads=1)


def planted(task="add", n=1000, seed=0, **settings):
    """Rows as texts ("a") and as numbers (the others), their encoders, classes, and the planted pairs."""
    bunch = make_planted_taps(task, "tiny", n=n, random_state=seed)
    rows = np.arange(len(bunch.target))
    X = {name: list(map(str, rows)) if name == "a" else rows[:, None].astype(float) for name in bunch.taps}
    encoders = {name: Lookup(name, arrays) for name, arrays in bunch.taps.items()}
    held = np.isin(rows, bunch.validation)
    how = {"encoders": encoders, "trainer": TRAINER, "random_state": 0, "validation": held[~np.isin(rows, bunch.test)]}
    fit = ~np.isin(rows, bunch.test)
    return Modalities(X), bunch, fit, FusionClassifier(SkewPairFusion(**QUICK | settings), **how)


@pytest.fixture(scope="module")
def found():
    """A fitted estimator on planted taps, the samples and the truth."""
    X, bunch, fit, estimator = planted()
    return X, bunch, fit, estimator.fit(X[fit], bunch.target[fit])


def test_the_planted_pair_comes_back_resolved(found):
    """The method says which pair and which operator, in text; nothing is left to search."""
    _, bunch, _, estimator = found
    ((_, i, _, j),) = bunch.planted
    assert estimator.method_.pairs == ((i, j),)
    assert estimator.method_.operator == "concat"
    assert f"pairs=(({i}, {j}),)" in repr(estimator.method_)
    assert estimator.search_.verdict == "skew pair"


def test_it_decides_nearly_as_well_as_can_be(found):
    """Within .05 of the best possible accuracy of the pair, on rows that chose nothing."""
    X, bunch, _, estimator = found
    assert estimator.score(X[bunch.test], bunch.target[bunch.test]) > bunch.oracle.max() - 0.05


def test_blocks_above_the_pair_do_not_run(found):
    """After the fit an encoder runs up to the chosen tap alone, and only over new samples."""
    X, bunch, _, estimator = found
    logs = {name: encoder.log for name, encoder in estimator.encoders.items()}
    for log in logs.values():
        log.clear()
    estimator.predict(X[bunch.test])
    ((_, i, _, j),) = bunch.planted
    assert {tap for _, tap in logs["a"]} == {i}
    assert {tap for _, tap in logs["b"]} == {j}


def test_a_saved_model_says_and_finds_the_same(found, tmp_path):
    """Predictions to the last bit, the findings, and the pair; with another encoder it is refused."""
    X, bunch, _, estimator = found
    again = load(save(estimator, tmp_path / "model"), encoders=estimator.encoders)
    new = X[bunch.test]
    np.testing.assert_array_equal(again.predict_proba(new), estimator.predict_proba(new))
    assert again.search_.sentence == estimator.search_.sentence
    assert again.search_.pairs.equals(estimator.search_.pairs)
    other = {**estimator.encoders, "a": Lookup("a", bunch.taps["a"], mark="other")}
    with pytest.raises(ValueError, match="modality 'a' has other weights"):
        load(tmp_path / "model", encoders=other)
    with pytest.raises(ValueError, match="layered encoders for 'a', 'b'"):
        load(tmp_path / "model")


def test_an_encoder_that_changed_is_noticed(found):
    """Its taps would mean something else than in the fit."""
    X, bunch, _, estimator = found
    changed = clone(estimator)
    changed.__dict__.update({**vars(estimator), "encoders": dict(estimator.encoders)})
    changed.encoders["b"] = Lookup("b", bunch.taps["b"], mark="later")
    with pytest.raises(ValueError, match="modality 'b' has other weights"):
        changed.predict(X[bunch.test])


def test_the_same_seed_gives_the_same_model(found):
    """To the last bit of its predictions."""
    X, bunch, fit, estimator = found
    again = planted()[3].fit(X[fit], bunch.target[fit])
    np.testing.assert_array_equal(again.predict_proba(X[:50]), estimator.predict_proba(X[:50]))


def test_samples_pass_an_encoder_once_where_there_is_a_cache(tmp_path):
    """A second fit, other rows and predictions read the files: n passes an encoder in all."""
    X, bunch, fit, estimator = planted(n=400)
    estimator.set_params(cache=tmp_path / "taps")
    for rows in (fit, np.flatnonzero(fit)[:200]):
        estimator.set_params(validation=0.25).fit(X[rows], bunch.target[rows])
    estimator.predict(X)
    assert sum(count for count, _ in estimator.encoders["a"].log) == len(X)


def test_pairs_that_are_given_are_not_searched():
    """Late fusion of the last taps, a set of several pairs, one tap alone: no findings, no choice."""
    X, bunch, fit, estimator = planted(n=300)
    for given in ({"pairs": ((4, 4),)}, {"pairs": ("a@3 + b@1", "a@1 + b@1")}, {"pairs": (), "tap": "b@2"}):
        made = clone(estimator).set_params(**{f"method__{name}": value for name, value in given.items()})
        made.fit(X[fit], bunch.target[fit])
        assert made.method_.operator == "bilinear"
        assert len(made.method_.pairs) == len(given["pairs"])
        with pytest.raises(AttributeError, match="has no search_: its pairs were given"):
            _ = made.search_


def test_of_one_modality_the_best_tap_is_read_and_nothing_is_searched():
    """Whoever asks for the search is told why there is none."""
    X, bunch, fit, estimator = planted(n=300)
    estimator.set_params(encoders={"a": estimator.encoders["a"]}).fit(X.select(["a"])[fit], bunch.target[fit])
    with pytest.raises(AttributeError, match=r"has no search_: with one modality .* its best tap is read, a@\d"):
        _ = estimator.search_
    late = FusionClassifier(LateFusion(), random_state=0).fit({"a": np.eye(20), "b": np.eye(20)}, np.arange(20) % 2)
    with pytest.raises(AttributeError, match="LateFusion has no search_: only SkewPairFusion searches"):
        _ = late.search_


def test_without_a_gain_one_tap_is_read():
    """UNI: no fusion is supported, and the network is the best tap with a head."""
    X, bunch, fit, estimator = planted("uni")
    estimator.fit(X[fit], bunch.target[fit])
    assert estimator.search_.verdict == "no supported fusion"
    assert estimator.method_.pairs == ()
    assert estimator.method_.tap == "a@3"
    assert estimator.score(X[bunch.test], bunch.target[bunch.test]) > 0.9


def test_the_right_two_of_three_modalities_are_joined():
    """TRI: the pair is written with its modalities, and the third encoder does not run."""
    X, bunch, fit, estimator = planted("tri")
    estimator.fit(X[fit], bunch.target[fit])
    ((first, i, second, j),) = bunch.planted
    assert estimator.method_.pairs == (f"{first}@{i} + {second}@{j}",)
    estimator.encoders["b"].log.clear()
    assert estimator.score(X[bunch.test], bunch.target[bunch.test]) > bunch.oracle.max() - 0.06
    assert not estimator.encoders["b"].log


def test_folds_judge_every_sample_and_average_their_copies():
    """With K folds pairs are judged by all samples, each by heads that did not see it."""
    X, bunch, fit, estimator = planted(n=500)
    estimator.set_params(validation=3).fit(X[fit], bunch.target[fit])
    assert estimator.search_.summary["held"].item() == fit.sum()
    assert estimator.module_.net.units == 3
    ((_, i, _, j),) = bunch.planted
    assert estimator.method_.pairs == ((i, j),)


def test_values_are_predicted_too():
    """The sum of what both modalities carry; the pair by R2."""
    X, bunch, fit, _ = planted()
    y = bunch.codes[:, 0] + 2.0 * bunch.codes[:, 1]
    encoders = {name: Lookup(name, arrays) for name, arrays in bunch.taps.items()}
    how = {"encoders": encoders, "trainer": TRAINER, "random_state": 0}
    estimator = FusionRegressor(SkewPairFusion(**QUICK), **how).fit(X[fit], y[fit])
    ((_, i, _, j),) = bunch.planted
    assert estimator.method_.pairs == ((i, j),)
    assert estimator.score(X[bunch.test], y[bunch.test]) > 0.65


def test_absent_modalities_are_read_as_the_mean():
    """Values of an absent row do not matter, a text that is None is absent, and nobody at all gets the prior."""
    X, bunch, fit, estimator = planted(n=500)
    texts = [None if row % 7 == 0 else text for row, text in enumerate(X["a"])]
    some = Modalities({"a": texts, "b": X["b"]}, present={"b": np.arange(len(X)) % 5 != 0} | {})
    kept = some.present.any(1) & fit
    estimator.set_params(validation=0.2).fit(some[kept], bunch.target[kept])
    alone = estimator.predict_proba(Modalities({"a": [None] * 3, "b": X["b"][1:4]}))
    assert np.isfinite(alone).all()
    np.testing.assert_allclose(alone.sum(1), 1)


def test_other_methods_read_the_last_tap():
    """Late fusion of texts: nothing but an encoder is needed."""
    X, bunch, fit, estimator = planted("late", n=600)
    late = FusionClassifier(LateFusion(), encoders=estimator.encoders, trainer=TRAINER, random_state=0)
    late.fit(X[fit], bunch.target[fit])
    assert late.spec_.shapes == {"a": (8,), "b": (8,)}
    assert late.score(X[bunch.test], bunch.target[bunch.test]) > 0.6


def test_texts_without_an_encoder_are_refused():
    """By name, with what to do."""
    with pytest.raises(ValueError, match=r"'words' must hold numbers, got strings.*MiniLM"):
        FusionClassifier().fit({"words": ["a", "b"] * 10, "x": np.ones((20, 2))}, [0, 1] * 10)


TASKS = dict.fromkeys(("concat", "sum", "mlp", "gated", "bilinear", "film", "coattn_vec"), "add") | {"outer": "xor"}


@pytest.mark.parametrize(("operator", "task"), TASKS.items())
def test_every_operator_can_be_chosen(operator, task):
    """It learns (products alone what only products tell), and predicts a sample alone as in company."""
    X, bunch, fit, estimator = planted(task, n=300, pairs=((3, 1),), operator=operator)
    estimator.fit(X[fit], bunch.target[fit])
    together, alone = estimator.predict_proba(X[:8]), estimator.predict_proba(X[3:4])
    np.testing.assert_allclose(together[3:4], alone, atol=1e-6)
    assert estimator.score(X[bunch.test], bunch.target[bunch.test]) > 0.6


def test_attention_between_tokens_reads_segments():
    """Taps of several tokens, of which the scan reads the mean: learned, saved and loaded."""
    torch.manual_seed(0)
    data = np.random.default_rng(0)
    target = data.integers(0, 2, 120)
    series = data.normal(size=(120, 12, 2)) + target[:, None, None]
    X = {"one": series, "two": data.normal(size=(120, 9, 3)) - target[:, None, None]}
    method = SkewPairFusion(**QUICK | {"operator": "coattn", "pool": "segments-3", "pairs": ((2, 5),)})
    how = {"trainer": Trainer(epochs=6, threads=1), "validation": 0.25, "random_state": 0}
    estimator = FusionClassifier(method, **how).fit(X, target)
    assert estimator.score(X, target) > 0.9
    assert estimator.module_.representations.tokens == 3


def test_the_published_operator_is_refused_unless_it_is_asked_for():
    """A prediction would depend on its neighbours; for a reproduction it can be had."""
    X, bunch, fit, estimator = planted(n=300, pairs=((3, 1),), operator="coattn_legacy")
    with pytest.raises(ValueError, match="attends across the samples"):
        estimator.fit(X[fit], bunch.target[fit])
    estimator.set_params(method__batch_dependent=1).fit(X[fit], bunch.target[fit])
    together, alone = estimator.predict_proba(X[:8]), estimator.predict_proba(X[3:4])
    assert np.abs(together[3:4] - alone).max() > 1e-4


SHAPES = {"vector": (5,), "series": (12, 2), "image": (1, 8, 8), "volume": (2, 2, 2, 2)}


def test_modalities_without_an_encoder_get_one_that_is_trained_on_them():
    """By shape; it is cut at the highest tap that is read, and what is left has no head."""
    data = samples(shapes=SHAPES)
    module = SkewPairFusion(pairs=("vector@2 + series@4", "image@1 + volume@6"), rank=4).build(data.spec)
    nets = [module.representations.sources.of(name).net for name in SHAPES]
    assert [len(net.blocks) for net in nets] == [2, 4, 1, 6]
    assert all(isinstance(net.head, nn.Identity) for net in nets)
    assert module(data.samples.features, data.samples.present).shape == (len(data.samples), data.spec.outputs)


def test_a_module_of_the_user_is_read_at_its_blocks():
    """A list of blocks, or modules in a row; its weights stay, and are saved with the model."""
    X, y = (
        {"a": np.random.default_rng(0).normal(size=(80, 5)), "b": np.random.default_rng(1).normal(size=(80, 3))},
        [0, 1] * 40,
    )
    torch.manual_seed(0)
    own = {"a": SmallVectorNet(5, 2, width=8), "b": nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 6))}
    before = {name: [weight.clone() for weight in module.parameters()] for name, module in own.items()}
    how = {"encoders": own, "trainer": Trainer(epochs=2, threads=1), "random_state": 0, "validation": 0.25}
    estimator = FusionClassifier(SkewPairFusion(**QUICK), **how).fit(X, y)
    depths = estimator.search_.depths.set_index("modality")["taps"]
    assert dict(depths) == {"a": 6, "b": 3}
    for name, weights in before.items():
        for old, new in zip(weights, own[name].parameters(), strict=True):
            torch.testing.assert_close(old, new)


def test_a_module_without_blocks_is_refused():
    """With what to do."""
    with pytest.raises(ValueError, match=r"modality 'a', a Linear, has no `blocks`.*ModuleTaps"):
        SkewPairFusion().build(replace(samples(shapes={"a": (3,), "b": (2,)}).spec, encoders={"a": nn.Linear(3, 2)}))


WRONG = {
    "a tap that is not there": ({"pairs": ((5, 1),)}, "'a' has taps 1 to 4, and tap 5"),
    "no such modality": ({"pairs": ("a@1 + z@1",)}, "No modality 'z'"),
    "no pair": ({"pairs": ("a1-b1",)}, "A pair is written like"),
    "no tap": ({"pairs": ()}, "say which"),
    "a tap of nobody": ({"pairs": (), "tap": "z@1"}, "A tap is written like 'a@5'"),
    "an unknown operator": ({"operator": "magic"}, "operator must be one of"),
    "an operator that cannot be scanned": ({"scan": ("bilinear",)}, "Each of scan must be one of"),
    "an unknown pooling": ({"pool": "median"}, "pool"),
    "an unknown metric": ({"metric": "r2"}, "'r2' is no metric of a classification"),
    "no width": ({"width": 0}, "width must be a whole number"),
    "a level of 2": ({"level": 2.0}, "level must be a number"),
    "nothing to scan": ({"scan": ()}, "scan must name at least one of 'concat'"),
    "the same scan twice": ({"scan": ("outer", "outer")}, "scan must name at least one of 'concat'.*each once"),
    "the same pair twice": ({"pairs": ("a@2 + b@1", (2, 1))}, r"pairs has a@2 \+ b@1 twice"),
    "the same pair the other way round": ({"pairs": ("a@2 + b@1", "b@1 + a@2")}, r"pairs has a@2 \+ b@1 twice"),
    "a tap that a search would not read": ({"tap": "b@2"}, r"tap='b@2' is read where nothing is joined.*pairs=\(\)"),
    "a tap beside pairs": ({"tap": "b@2", "pairs": ((1, 1),)}, "tap='b@2' is read where nothing is joined"),
}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": (1, 2)}, r"pairs must be a list of pairs, for example \(\(1, 2\),\).* \(got \(1, 2\)\)"),
        ({"pairs": 3}, r"pairs must be a list of pairs.* \(got 3\)"),
        ({"batch_dependent": 3}, r"batch_dependent must be 0 or 1 \(got 3\)"),
    ],
)
def test_settings_of_a_wrong_type_end_in_one_clear_error(settings, message):
    """Where types are not checked, as they are in these tests."""
    method = SkewPairFusion()
    vars(method).update(settings)
    with pytest.raises(ValueError, match=message):
        method.build(samples(shapes={"a": (3,), "b": (2,)}).spec)


@pytest.mark.parametrize("pairs", ["a@3 + b@1", "a@3+b@1", ["b@1+a@3"], [(3, 1)]])
def test_a_pair_can_be_written_in_several_ways(pairs):
    """As one text, without blanks, the other way round, in a list."""
    X, bunch, fit, estimator = planted(n=100, pairs=pairs)
    assert estimator.fit(X[fit], bunch.target[fit]).method_.pairs == ((3, 1),)


def test_one_operator_can_be_scanned_by_its_name():
    """As a list of one."""
    X, bunch, fit, estimator = planted(n=100, scan="outer")
    assert set(estimator.fit(X[fit], bunch.target[fit]).search_.pairs["operator"]) == {"outer"}


@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_settings_end_in_one_clear_error(settings, message):
    """Before anything is trained."""
    X, bunch, fit, estimator = planted(n=60, **settings)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X[fit], bunch.target[fit])


def test_few_complete_samples_end_in_one_clear_error():
    """Pairs can only be judged by samples that have both."""
    X, bunch, fit, estimator = planted(n=60)
    apart = Modalities(
        {"a": [text if row % 2 else None for row, text in enumerate(X["a"])], "b": X["b"]},
        present={"b": np.arange(len(X)) % 2 == 0},
    )
    with pytest.raises(ValueError, match="samples that have all of a, b"):
        estimator.fit(apart[fit], bunch.target[fit])


def modules(**others):
    """Two modalities of numbers under modules of the user, and classes."""
    data = np.random.default_rng(0)
    X = {"a": data.normal(size=(80, 5)), "b": data.normal(size=(80, 3))}
    torch.manual_seed(0)
    own = {"a": SmallVectorNet(5, 2, width=8), "b": nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 6))}
    how = {"encoders": own | others, "trainer": Trainer(epochs=2, threads=1), "random_state": 0, "validation": 0.25}
    return X, np.arange(80) % 2, how


def test_modules_of_which_no_sample_has_both_inputs_end_in_the_same_error():
    """Before they read anything."""
    X, y, how = modules()
    apart = Modalities(X, present={"a": np.arange(80) < 40, "b": np.arange(80) >= 40})
    with pytest.raises(ValueError, match="of 80 samples 0 to train on and 0 held out have them"):
        FusionClassifier(SkewPairFusion(**QUICK), **how).fit(apart, y)


def test_one_group_that_is_held_out_ends_in_one_clear_error():
    """It says nothing of others; in folds all groups judge, and then every number of the report is one."""
    X, y, how = modules()
    groups = np.arange(80) // 20
    with pytest.raises(ValueError, match=r"1 group is held out \(20 samples\).*validation=5"):
        FusionClassifier(SkewPairFusion(**QUICK), **how).fit(X, y, groups)
    folds = FusionClassifier(SkewPairFusion(**QUICK), **how | {"validation": 2}).fit(X, y, groups)
    assert np.isfinite(folds.search_.summary[["gain", "gain_low"]].to_numpy()).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_metric_without_a_value_ends_in_one_clear_error():
    """R2 of targets that are all the same, or are so in some draws of whole groups; an error that has one is fine."""
    X, _, how = modules()
    same = FusionRegressor(SkewPairFusion(**QUICK), **how)
    with pytest.raises(ValueError, match=r"R², which has no value on the samples held out"):
        same.fit(X, np.ones(80))
    with pytest.raises(ValueError, match=r"in \d+ of 60 draws of the samples held out"):
        same.set_params(validation=4).fit(X, np.arange(80) % 4 * 1.0, np.arange(80) % 4)
    same.set_params(method__metric="rmse", validation=0.25).fit(X, np.ones(80))
    assert np.isfinite(same.search_.summary[["gain", "gain_low"]].to_numpy()).all()


def test_a_module_that_cannot_read_its_modality_is_named():
    """With what it was given, and what torch says of it: a module of another width, and one in double precision."""
    X, y, how = modules(b=nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
    with pytest.raises(ValueError, match=r"Modality 'b': Encoder 'Sequential' cannot read a tensor of shape \(1, 3\)"):
        FusionClassifier(SkewPairFusion(**QUICK), **how).fit(X, y)
    for module in (nn.Sequential(nn.Linear(4, 4)), nn.Sequential(nn.Linear(3, 4)).double()):
        how["encoders"]["b"] = ModuleTaps(module, "*")
        with pytest.raises(ValueError, match=r"Modality 'b': Encoder 'Sequential' cannot read a tensor of shape"):
            FusionClassifier(SkewPairFusion(**QUICK), **how).fit(X, y)
    how["encoders"]["b"] = ModuleTaps(nn.Sequential(nn.Linear(3, 4)).to("meta"), "*")
    with pytest.raises(ValueError, match=r"Modality 'b': A tensor on the device 'meta' holds no numbers"):
        FusionClassifier(SkewPairFusion(**QUICK), **how).fit(X, y)


@pytest.mark.parametrize("precision", [torch.float64, torch.float16])
def test_a_module_is_brought_to_the_precision_of_the_others(precision):
    """It is a copy; the module of the user stays as it is."""
    X, y, how = modules()
    how["encoders"]["b"].to(precision)
    estimator = FusionClassifier(SkewPairFusion(pairs=((1, 2),)), **how).fit(X, y)
    assert np.isfinite(estimator.predict_proba(X)).all()
    assert how["encoders"]["b"][0].weight.dtype == precision


class Fragile(nn.Module):
    """NaN wherever the first number is large."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, 2)])

    def forward(self, values):
        hidden = self.blocks[0](values)
        return self.blocks[1](hidden.where(values[:, :1] < 2.5, torch.nan))


@pytest.mark.parametrize("layered", [0, 1])
def test_a_tap_that_is_not_a_number_is_named_by_modality_and_sample(layered):
    """In fit and at prediction, wherever in its batch the sample is."""
    X, y, how = modules(b=ModuleTaps(Fragile(), "blocks.*") if layered else Fragile())
    X["b"] = X["b"].clip(-2, 2)
    ids = [f"p{row}" for row in range(80)]
    message = "Modality 'b': tap 2 of its encoder holds NaN or infinity for sample 'p51'"
    wrong = {"a": X["a"], "b": X["b"].copy()}
    wrong["b"][51, 0] = 90.0
    for pairs in (None, ((1, 2),)):
        estimator = FusionClassifier(SkewPairFusion(**QUICK | {"pairs": pairs}), **how, scaling="none")
        with pytest.raises(ValueError, match=message):
            estimator.fit(Modalities(wrong, ids=ids), y)
    estimator.fit(X, y)
    with pytest.raises(ValueError, match=message):
        estimator.predict(Modalities(wrong, ids=ids))


def test_a_gap_in_what_an_encoder_reads_is_named():
    """Encoders read values as they are: a NaN inside a row is not imputed for them."""
    X, bunch, _, estimator = planted(n=60)
    two = np.column_stack([X["b"][:, 0], np.ones(len(X))])
    two[7, 1] = np.nan
    with pytest.raises(ValueError, match="'b' has missing values in row 7"):
        estimator.set_params(validation=0.3).fit(Modalities({"a": X["a"].tolist(), "b": two}), bunch.target)


def test_double_precision_reaches_the_modules_of_the_user():
    """Taps, scalings and heads are of one precision."""
    data = np.random.default_rng(0)
    X, y = {"a": data.normal(size=(60, 5)), "b": data.normal(size=(60, 3))}, [0, 1] * 30
    own = {"b": nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 6))}
    trainer = Trainer(epochs=1, threads=1, precision="float64")
    estimator = FusionClassifier(SkewPairFusion(pairs=((2, 3),)), encoders=own, trainer=trainer, validation=0.25)
    assert np.isfinite(estimator.fit(X, y).predict_proba(X)).all()
