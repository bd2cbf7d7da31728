"""A modality made of another one: absence, ids, order, gaps, and a place in pipelines."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import resample

from plait import IntermediateFusion, Modalities
from plait.data.gaps import fill_gaps
from plait.transforms import GramianAngularField, PeriodicFold, RecurrencePlot, WithImage, gasf, recurrence
from samples import names_of, small_classifier, small_trainer

SMALL = GramianAngularField(size=6)


def waves(n=24, seed=0):
    """Series of two channels that rise or fall, by class, and one number; some samples lack one of them."""
    draw = np.random.default_rng(seed)
    y = np.arange(n) % 2
    trend = (2 * y - 1)[:, None, None] * np.linspace(-1, 1, 12)[:, None]
    arrays = {"series": trend + 0.3 * draw.normal(size=(n, 12, 2)), "age": draw.normal(size=(n, 1))}
    present = {"series": np.arange(n) % 5 != 1, "age": np.arange(n) % 7 != 3}
    return Modalities(arrays, ids=names_of(n), present=present, columns={"age": ["years"]}), y


X, Y = waves()
HAVE = X.present[:, 0]


def test_the_image_comes_last_and_all_else_stays():
    """Arrays, ids, columns, account, presence and the order of the modalities."""
    new = WithImage("series", SMALL).fit_transform(X)
    assert new.names == ("series", "age", "image")
    assert new["series"] is X["series"]
    np.testing.assert_array_equal(new.present[:, :2], X.present)
    np.testing.assert_array_equal(new.ids, X.ids)
    assert (new.columns, new.own_ids) == (X.columns, True)
    assert X.names == ("series", "age")


def test_the_account_of_a_join_stays():
    """What did not match is known after the step as well."""
    tables = {"series": pd.DataFrame(np.eye(4), list("abcd")), "age": pd.DataFrame([1, 2, 3], list("abe"))}
    with pytest.warns(UserWarning, match="lacks"):
        new = WithImage("series", GramianAngularField(size=4)).fit_transform(tables)
    assert new.account.absent["series"] == ("e",)
    assert new.ids.tolist() == list("abcde")
    assert new.present.tolist() == [[True] * 3] * 2 + [[True, False, True]] * 2 + [[False, True, False]]


def test_images_are_those_of_the_series_and_absent_without_one():
    """Rows without the series have no image, and are NaN as absent rows are."""
    new = WithImage("series", SMALL).fit_transform(X)
    np.testing.assert_array_equal(new["image"][HAVE], gasf(X["series"][HAVE], 6))
    np.testing.assert_array_equal(new.present[:, 2], HAVE)
    assert np.isnan(new["image"][~HAVE]).all()


def test_the_defaults_are_an_angular_field_of_the_series():
    """`WithImage()` is WithImage("series", GramianAngularField(), "image")."""
    series = np.random.default_rng(0).normal(size=(3, 30))
    new = WithImage().fit_transform({"series": series})
    np.testing.assert_array_equal(new["image"], gasf(series, 24))


def test_single_precision_stays():
    """With and without absent rows."""
    for rows in (slice(None), HAVE):
        single = Modalities({"series": X["series"][rows].astype(np.float32)})
        assert WithImage("series", SMALL).fit_transform(single)["image"].dtype == np.float32


def test_the_transformer_learns_from_present_training_rows_alone():
    """The period is that of the training samples that have the series."""
    steps = np.arange(24)
    series = np.stack([np.sin(2 * np.pi * steps / 6)] * 2 + [np.sin(2 * np.pi * steps / 12)] * 5)
    present = np.array([[True, True]] * 2 + [[False, True]] * 5)
    train = Modalities({"series": series, "age": np.ones(7)}, present=present)
    step = WithImage("series", PeriodicFold()).fit(train)
    assert step.transformer_.period_ == 6
    assert step.transform({"series": series[2:], "age": np.ones(5)})["image"].shape == (5, 1, 4, 6)


def test_gaps_are_interpolated_in_each_series_by_itself():
    """Lines between neighbours, the nearest value at the ends; the series keeps its NaN."""
    nan = np.nan
    holed = np.array([[0.0, nan, nan, 3, 5, nan], [nan, 7, 7, nan, 1, 0]])
    full = np.array([[0.0, 1, 2, 3, 5, 5], [7.0, 7, 7, 4, 1, 0]])
    np.testing.assert_allclose(fill_gaps(holed), full)
    np.testing.assert_allclose(fill_gaps(np.stack([holed, full], axis=2)), np.stack([full, full], axis=2))
    assert fill_gaps(full) is full
    new = WithImage("series", RecurrencePlot(size=None)).fit_transform({"series": holed})
    np.testing.assert_allclose(new["image"], recurrence(full))
    assert np.isnan(new["series"]).tolist() == [
        [False, True, True, False, False, True],
        [True] + [False] * 2 + [True] + [False] * 2,
    ]


def test_gaps_keep_single_precision_and_extreme_values():
    """No overflow between the largest numbers of either sign."""
    largest = np.finfo(np.float32).max
    filled = fill_gaps(np.array([[-largest, np.nan, largest]], dtype=np.float32))
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled, [[-largest, 0, largest]])


def test_a_channel_without_a_value_leaves_no_image():
    """The series is present, its image is not, and says so."""
    series = X["series"].copy()
    series[0, :, 1] = np.nan
    new = WithImage("series", SMALL).fit_transform({"series": series})
    assert new.present[0].tolist() == [True, False]
    assert new.present[2].tolist() == [True, True]
    assert np.isnan(new["image"][0]).all()


def test_a_modality_that_no_new_sample_has():
    """None at prediction: the image is absent everywhere, in the shape of fit."""
    step = WithImage("series", SMALL).fit(X)
    new = step.transform({"series": None, "age": [1.0, 2.0]})
    assert new["image"].shape == (2, 2, 6, 6)
    assert new.present.tolist() == [[False, True, False]] * 2


def test_what_estimators_accept_is_accepted():
    """A mapping, a list, one table and one array, by the names that they get."""
    series = np.random.default_rng(0).normal(size=(5, 12))
    for given, of in (
        ({"a": series}, "a"),
        ([series, series], "m1"),
        (pd.DataFrame(series), "x"),
        (series, "x"),
        (series.tolist(), "x"),
    ):
        new = WithImage(of, SMALL).fit_transform(given)
        np.testing.assert_array_equal(new["image"], gasf(series, 6))


def test_any_transformer_of_scikit_learn_makes_a_modality():
    """Its rows are the new modality, under the name given; where it makes nothing of a series, that is absent."""
    train = {"a": np.random.default_rng(0).normal(size=(9, 6))}
    new = WithImage("a", PCA(2), "parts").fit_transform(train)
    np.testing.assert_allclose(new["parts"], PCA(2).fit_transform(train["a"]))
    some = FunctionTransformer(lambda values: np.where(values > 0, values, np.nan))
    new = WithImage("a", some, "positive").fit_transform({"a": [[1.0, -1], [-1, -1], [2, 2]]})
    assert new.present[:, 1].tolist() == [True, False, True]


def test_the_transformer_given_is_not_changed():
    """Fit works on a copy; clones and copies from a file do the same."""
    given = PeriodicFold()
    step = WithImage("series", given).fit(X)
    assert not hasattr(given, "period_")
    assert clone(step).get_params()["transformer__period"] is None
    copied = pickle.loads(pickle.dumps(step))
    np.testing.assert_array_equal(copied.transform(X)["image"], step.transform(X)["image"])


def test_samples_do_not_influence_each_other():
    """Each row alone, repeated or in another order has the image it has among all."""
    step = WithImage("series", SMALL).fit(X)
    images = step.transform(X)["image"]
    order = np.random.default_rng(0).permutation(24)
    np.testing.assert_array_equal(step.transform(X[order])["image"], images[order])
    np.testing.assert_array_equal(step.transform(X[3:4])["image"], images[3:4])
    again = resample(X, random_state=0)
    assert (
        step.transform(again).present.tolist() == step.transform(X).present[np.searchsorted(X.ids, again.ids)].tolist()
    )


def classifier():
    """A quick one."""
    method = IntermediateFusion(width=4, encoder_hidden=(), hidden=())
    return small_classifier(method, validation=0.2, trainer=small_trainer(epochs=10))


def test_a_pipeline_of_the_image_and_a_classifier():
    """One line, which is the two steps by hand, bit by bit."""
    line = make_pipeline(WithImage("series", SMALL), classifier())
    fitted = line.fit(X, Y)
    assert fitted.score(X, Y) > 0.7
    assert fitted[-1].spec_.shapes == {"series": (12, 2), "age": (1,), "image": (2, 6, 6)}
    images = WithImage("series", SMALL).fit(X)
    by_hand = classifier().fit(images.transform(X), Y)
    np.testing.assert_array_equal(line.predict_proba(X), by_hand.predict_proba(images.transform(X)))


def test_the_settings_of_the_image_are_searched_across_folds():
    """By their names in the pipeline; the image of each fold is made of its rows."""
    line = make_pipeline(WithImage("series", SMALL), classifier())
    search = GridSearchCV(line, {"withimage__transformer__kind": ["difference"]}, cv=2, error_score="raise")
    assert search.fit(X, Y).best_score_ > 0.7
    assert search.best_estimator_[0].transformer_.kind == "difference"


def test_a_pipeline_pairs_samples_and_target_by_id():
    """The ids are those of the tables after the step, too."""
    frame = pd.DataFrame(X["series"][HAVE, :, 0], index=X.ids[HAVE])
    target = pd.Series(Y[HAVE], X.ids[HAVE])
    line = make_pipeline(WithImage("series", SMALL), classifier())
    one = line.fit({"series": frame}, target).predict_proba({"series": frame})
    other = line.fit({"series": frame}, target.iloc[::-1]).predict_proba({"series": frame})
    np.testing.assert_array_equal(one, other)


def infinite(values):
    """A transformation that leaves the range of numbers."""
    return np.where(values > 0, np.inf, values)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (WithImage("series", SMALL, "age"), "There is a modality 'age' already; the modalities are 'series', 'age'"),
        (WithImage("series", GramianAngularField(size=13)), "size must be at most 12"),
        (
            WithImage("series", FunctionTransformer(lambda values: values[1:])),
            r"must have one row for each of \d+ sample",
        ),
        (WithImage("series", FunctionTransformer(np.ravel)), r"must have one row for each of \d+ sample"),
        (WithImage("series", FunctionTransformer(infinite)), "Modality 'image' holds infinity in .* 'p000'"),
        (WithImage("series", FunctionTransformer(lambda values: values.astype(str))), "'image' that .* numbers"),
    ],
    ids=["name", "size", "rows", "axes", "infinity", "strings"],
)
def test_what_cannot_be_a_modality_is_refused(step, said):
    """By its name, and with what is wrong."""
    with pytest.raises(ValueError, match=said):
        step.fit_transform(X)


def test_modalities_and_shapes_must_be_those_of_fit():
    """No such modality, nobody who has it, and series of another length."""
    with pytest.raises(KeyError, match="No modality 'ecg'; the modalities are 'series', 'age'"):
        WithImage("ecg").fit(X)
    with pytest.raises(ValueError, match="No sample has modality 'series' to fit a transformer on"):
        WithImage("series").fit({"series": None, "age": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"'series' had shape \(12, 2\) in fit, now it has \(11, 2\)"):
        WithImage("series", SMALL).fit(X).transform({"series": X["series"][:, 1:], "age": X["age"]})
