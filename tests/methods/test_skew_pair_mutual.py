"""Skew-pair fusion with mutual learning: what it chooses, what it keeps, the way to disk and back, what it refuses."""

import numpy as np
import pytest
from lookups import Lookup

from plait import FusionClassifier, FusionRegressor, Modalities, SkewPairFusion, Trainer, load, save
from plait.datasets.planted_taps import make_planted_taps
from plait.testing.checks import METHOD_CHECKS, check_folds

QUICK = {"draws": 60, "rank": 8, "most": 1, "scan": ("concat",), "shortlist": 4}
TRAINER = Trainer(epochs=10, learning_rate=1e-2, batch_size=128, threads=1, patience=None)
LEARNED = {"pairs", "rhos", "operator", "tap"}
PATH = (0.0, 0.5, 2.0)


def planted(task="add", n=300, correlation=0.97, values=0, **settings):
    """A task whose pairs are hard to tell apart: samples to fit, their target, samples to test, an estimator."""
    bunch = make_planted_taps(task, "tiny", n=n, correlation=correlation, random_state=0)
    rows = np.arange(len(bunch.target))
    X = Modalities({name: rows[:, None].astype(float) for name in bunch.taps})
    y = bunch.codes[:, 0] + 2.0 * bunch.codes[:, 1] if values else bunch.target
    fit = ~np.isin(rows, bunch.test)
    estimator = (FusionRegressor if values else FusionClassifier)(
        SkewPairFusion(**QUICK | settings),
        encoders={name: Lookup(name, arrays) for name, arrays in bunch.taps.items()},
        trainer=TRAINER,
        random_state=0,
        validation=np.isin(rows, bunch.validation)[fit],
    )
    return X[fit], y[fit], X[bunch.test], estimator


@pytest.fixture(scope="module")
def learned():
    """An estimator fitted at two strengths, the same one fitted alone, and samples to test."""
    X, y, new, estimator = planted(rhos=PATH)
    alone = planted()[3]
    return estimator.fit(X, y), alone.fit(X, y), new


def test_the_strength_with_the_lowest_loss_is_chosen(learned):
    """The table has a row a strength; the method comes back with the one that was taken, and the pairs as ever."""
    estimator, alone, _ = learned
    table = estimator.tables_["rhos"]
    assert tuple(table["rho"]) == PATH
    best = table.loc[table["validation_loss"].idxmin(), "rho"]
    assert best > 0
    assert estimator.method_.rhos == (best,)
    assert list(table["chosen"]) == [rho == best for rho in PATH]
    assert alone.method_.rhos == (0.0,)
    assert "rhos" not in alone.tables_
    for name in QUICK.keys() | LEARNED - {"rhos"}:
        assert getattr(estimator.method_, name) == getattr(alone.method_, name)


def test_at_strength_0_it_is_what_it_is_alone(learned):
    """The loss of the chosen pair's head at rho = 0 is that of the network trained alone, to single precision."""
    estimator, alone, _ = learned
    assert estimator.tables_["rhos"]["validation_loss"][0] == pytest.approx(
        alone.history_["best_validation_loss"].min(), rel=1e-5
    )


def test_the_network_is_no_larger(learned):
    """Peers are thrown away, weights and taps: no block runs for their sake."""
    estimator, alone, new = learned
    shapes = [{name: value.shape for name, value in one.module_.state_dict().items()} for one in (estimator, alone)]
    assert shapes[0] == shapes[1]
    runs = []
    for one in (estimator, alone):
        for encoder in one.encoders.values():
            encoder.log.clear()
        one.predict(new)
        runs.append({name: encoder.log for name, encoder in one.encoders.items()})
    assert runs[0] == runs[1]


def test_what_the_search_found_is_untouched(learned):
    """The findings are those without mutual learning, table by table; "rhos" is beside them."""
    estimator, alone, _ = learned
    assert estimator.tables_.keys() - alone.tables_.keys() == {"rhos"}
    for name, table in alone.tables_.items():
        assert estimator.tables_[name].equals(table), name
    assert estimator.search_.sentence == alone.search_.sentence


def test_peers_change_the_head(learned):
    """Where others teach, another strength gives other predictions; rho = 0 is trained for the screening alone."""
    _, alone, new = learned
    X, y, _, estimator = planted(rhos=(2.0,))
    estimator.fit(X, y)
    assert estimator.method_.rhos == (2.0,)
    assert tuple(estimator.tables_["rhos"]["rho"]) == (2.0,)
    assert list(estimator.history_["phase"].unique()) == ["rho 0", "rho 2"]
    assert np.abs(estimator.predict_proba(new) - alone.predict_proba(new)).max() > 0.01


def test_a_saved_model_predicts_the_same(learned, tmp_path):
    """To the last bit; the strength and its table come back."""
    estimator, _, new = learned
    again = load(save(estimator, tmp_path / "model"), encoders=estimator.encoders)
    np.testing.assert_array_equal(again.predict_proba(new), estimator.predict_proba(new))
    assert again.method_.rhos == estimator.method_.rhos
    assert again.tables_["rhos"].equals(estimator.tables_["rhos"])


def test_the_same_seed_gives_the_same_model(learned):
    """To the last bit of its predictions, peers and all."""
    estimator, _, new = learned
    X, y, _, again = planted(rhos=PATH)
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(new), estimator.predict_proba(new))


KINDS = {
    "values": ({"values": 1}, None),
    "folds": ({"n": 200}, 2),
    "three modalities": ({"task": "tri", "n": 400}, None),
}


@pytest.mark.parametrize(("told", "folds"), KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_problem_learns_mutually(told, folds):
    """A pair is found and learns with others, at every strength; the lowest loss wins."""
    path = (0.0, 2.0)
    X, y, new, estimator = planted(**told, rhos=path)
    if folds:
        estimator.set_params(validation=folds)
    estimator.fit(X, y)
    assert len(estimator.method_.pairs) == 1
    assert len(estimator.history_["phase"].unique()) == 2
    losses = estimator.tables_["rhos"]["validation_loss"]
    assert losses[0] != losses[1]
    assert estimator.method_.rhos == (path[losses.argmin()],)
    assert estimator.module_.net.units == (folds or 1)
    assert np.isfinite(np.asarray(estimator.predict(new), dtype=float)).all()


def test_without_a_supported_fusion_strengths_are_not_used():
    """UNI: one tap is read, by a head that learned alone."""
    X, y, _, estimator = planted("uni", n=1000, correlation=0.8, rhos=PATH)
    estimator.fit(X, y)
    assert estimator.search_.verdict == "no supported fusion"
    assert estimator.method_.rhos == (0.0,)
    assert "rhos" not in estimator.tables_


def test_one_modality_has_no_pairs_to_learn_with():
    """Its best tap is read, by a head that learned alone."""
    X, y, new, estimator = planted(rhos=PATH)
    one = estimator.set_params(encoders={"a": estimator.encoders["a"]}).fit(X.select(["a"]), y)
    assert one.method_.rhos == (0.0,)
    assert one.predict(new.select(["a"])).shape == (len(new),)


def test_given_pairs_have_no_peers():
    """Positive strengths are refused, for pairs and for a single tap; 0 is taken."""
    for given in ({"pairs": ((3, 1),)}, {"pairs": (), "tap": "a@1"}):
        X, y, _, estimator = planted(**given, rhos=(0.0, 0.99))
        with pytest.raises(ValueError, match=r"rhos=\(0.0, 0.99\) asks for other pairs.*a search finds.*rhos=\(0.0,\)"):
            estimator.fit(X, y)
        estimator.set_params(method__rhos=(0.0,)).fit(X, y)


@pytest.mark.parametrize("rhos", [(), (-1.0,), (1.0, 1.0), (float("nan"),), (float("inf"),)], ids=repr)
def test_strengths_that_are_none_are_refused(rhos):
    """Before anything is trained, by name."""
    X, y, _, estimator = planted(n=60, rhos=rhos)
    with pytest.raises(ValueError, match="rhos must"):
        estimator.fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("check", [check for check in METHOD_CHECKS if check is not check_folds])
def test_the_contract_holds(check):
    """A fusion that is always supported, so that peers always teach; given pairs are not fitted again with them."""
    method = SkewPairFusion(draws=10, rank=4, most=1, scan=("concat",), shortlist=3, level=1e-6, rhos=(1.0,))
    check(method)
