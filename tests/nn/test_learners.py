"""Scikit-learn estimators as torch modules: what they say, what they cannot be, and what a file may hold."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR
from torch.testing import assert_close

from plait.data.spec import DataSpec
from plait.nn.dictionary import whole_student
from plait.nn.learner_files import read_learner, written_learner
from plait.nn.learner_kinds import check_base, learner_labels, learner_list, seeded
from plait.nn.learners import Learner, Learners, plan_learners, trust

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 4))
Y = X[:, :1] + 0.5 * DRAW.normal(size=(60, 1))
CODES = np.digitize(Y[:, 0], [-0.5, 0.5])
CLASSES = DataSpec({"a": (4,)}, 3, "classification")
VALUE, VALUES = (DataSpec({"a": (4,)}, outputs, "regression") for outputs in (1, 2))


class Majority(ClassifierMixin, BaseEstimator):
    """A classifier of another library."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / len(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))


def one_hot(codes, count=3):
    return np.eye(count)[codes]


def fitted(base, spec=CLASSES, seed=0):
    """A learner fitted on the samples above."""
    target = one_hot(CODES) if spec is CLASSES else np.hstack([Y, -Y])[:, : spec.outputs]
    return Learner(base, spec).fit(X, target, seed)


def again(learner, trusted=()):
    """The learner through a state dict."""
    other = Learner(learner.base, learner.spec)
    trust(other, trusted)
    other.load_state_dict(learner.state_dict())
    return other


# What they say


def test_classes_come_as_logarithms_of_their_probabilities():
    """Those of the estimator fitted by hand, on the same samples."""
    output = fitted(LogisticRegression(C=0.1))(torch.from_numpy(X))
    expected = LogisticRegression(C=0.1).fit(X, CODES).predict_proba(X)
    assert_close(output.softmax(-1), torch.from_numpy(expected))
    assert_close(output.exp().sum(1), torch.ones(60, dtype=torch.float64))


def test_an_impossible_class_keeps_a_tiny_probability():
    """Clipped at 2.2e-16: no infinity, whatever follows."""
    output = fitted(KNeighborsClassifier(1))(torch.from_numpy(X))
    assert_close(output.exp().min(1).values, torch.full((60,), 2.2e-16, dtype=torch.float64), rtol=0.02, atol=0)


def test_a_class_that_was_not_there_to_learn_stands_in_its_place():
    """Columns are those of all classes; the estimator sees 0, 1, ... without gaps."""
    rows = CODES != 1
    learner = Learner(LogisticRegression(), CLASSES).fit(X[rows], one_hot(CODES[rows]), 0)
    assert learner.estimator.classes_.tolist() == [0, 1]
    expected = LogisticRegression().fit(X[rows], CODES[rows]).predict_proba(X)
    found = learner.predict(X)
    np.testing.assert_allclose(np.exp(found[:, [0, 2]]), expected)
    assert found[:, 1].max() < -35


def test_one_class_alone_is_certain():
    """Most classifiers refuse a single class."""
    learner = Learner(LogisticRegression(), CLASSES).fit(X[:3], one_hot(np.array([2, 2, 2])), 0)
    assert learner.predict(X).argmax(1).tolist() == [2] * 60


@pytest.mark.parametrize("base", [Ridge(), make_pipeline(PCA(2), Ridge()), SVR(), "boosting"], ids=str)
def test_several_values_at_once_or_one_by_one(base):
    """An estimator that can predicts both values, for another there is one copy each."""
    learner = fitted(base, VALUES)
    assert isinstance(learner.estimator, MultiOutputRegressor) == (base == "boosting" or isinstance(base, SVR))
    assert learner.predict(X).shape == (60, 2)
    np.testing.assert_allclose(learner.predict(X)[:, 0], -learner.predict(X)[:, 1], atol=2e-3)


def test_nothing_to_fit_on_is_nothing():
    """No samples: zeros, and a state that can be saved and loaded."""
    learner = Learner("forest", VALUES).fit(X[:0], Y[:0].repeat(2, 1), 0)
    assert learner.estimator is None
    assert again(learner).predict(X).tolist() == np.zeros((60, 2)).tolist()


def test_the_users_estimator_stays_as_it_is():
    """Neither fitted nor seeded, though a copy is."""
    forest = RandomForestClassifier(3)
    learner = fitted(forest, seed=5)
    assert not hasattr(forest, "estimators_")
    assert forest.random_state is None
    assert learner.estimator.random_state is not None


# Seeds


def test_the_seed_decides_what_is_random():
    """The same seed gives the same forest, another another; a seed of the user's own is kept."""
    first, same, other = (fitted(RandomForestClassifier(5), seed=seed).predict(X) for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()
    own = [fitted(RandomForestClassifier(5, random_state=3), seed=seed).predict(X) for seed in (1, 2)]
    assert (own[0] == own[1]).all()


def test_parts_of_an_estimator_are_seeded_too():
    """Every random_state that is None, each with a seed of its own."""
    base = seeded(make_pipeline(PCA(2), BaggingRegressor(RandomForestRegressor(random_state=7))), 0).get_params()
    assert base["baggingregressor__estimator__random_state"] == 7
    states = [base["pca__random_state"], base["baggingregressor__random_state"]]
    assert all(isinstance(state, int) for state in states)
    assert len(set(states)) == 2


# What cannot be a learner


@pytest.mark.parametrize(
    ("base", "task", "error", "message"),
    [
        (Ridge(), "classification", ValueError, "Ridge.* is no classifier"),
        (KMeans(), "classification", ValueError, "KMeans.* is no classifier"),
        (LogisticRegression(), "regression", ValueError, "LogisticRegression.* is no regressor"),
        (SVC(), "classification", ValueError, r"no probabilities.*CalibratedClassifierCV\(SVC\(\)\)"),
        ("trees", "regression", ValueError, "base must be one of 'linear', 'forest', 'boosting'"),
        (Ridge, "regression", TypeError, "must be a scikit-learn estimator such as"),
        (3, "regression", TypeError, "or one of the words 'linear'"),
    ],
    ids=str,
)
def test_what_cannot_be_a_learner_is_refused(base, task, error, message):
    """The other task, no probabilities, an unknown word, a class, or no estimator at all."""
    with pytest.raises(error, match=message):
        check_base(base, task)


def test_trained_encoders_are_refused():
    """With what to do; a frozen one is read, and so are modalities beside a trained one."""
    spec = DataSpec({"a": (4,), "b": (2,)}, 1, "regression", {"a": torch.nn.Linear(4, 2)})
    with pytest.raises(ValueError, match=r"encoder of modality 'a' is trained.*requires_grad_\(False\)"):
        plan_learners(spec, ["linear"], [[whole_student(spec, ["a", "b"])]])
    assert len(plan_learners(spec, ["linear"], [[whole_student(spec, ["b"])]]).students) == 1


def test_the_error_names_the_parameter():
    with pytest.raises(ValueError, match=r"Ridge\(\) \(parameter learners\) is no classifier"):
        check_base(Ridge(), "classification", "learners")


def test_a_word_twice_is_refused():
    with pytest.raises(ValueError, match="learners has 'ridge' twice"):
        learner_list("learners", ("ridge", "forest", "ridge"))
    assert len(learner_list("learners", (Ridge(), Ridge(2.0)))) == 2


def test_a_modality_whose_name_makes_students_alike_is_refused():
    spec = DataSpec({"a": (2,), "ridge of a": (2,)}, 1, "regression")
    with pytest.raises(ValueError, match="'ridge of a' makes names of students alike; rename it"):
        plan_learners(spec, ("ridge",), [[whole_student(spec, ("a",))]])


def test_learners_of_one_name_are_numbered():
    """So that weights by name are of one student each."""
    labels = learner_labels(("forest", Ridge(), Ridge(alpha=2), "forest"))
    assert labels == ("forest", "Ridge", "Ridge 2", "forest 2")


# Modules and files


@pytest.mark.parametrize("absent", ["skip", "zero"])
def test_who_can_read_what(absent):
    """All of its modalities, or at least one."""
    spec = DataSpec({"a": (4,), "b": (2,)}, 1, "regression")
    reads = [whole_student(spec, names) for names in (["a"], ["a", "b"])]
    learners = Learners(plan_learners(spec, ["linear"], [reads], absent=absent))
    present = torch.tensor([[True, False], [True, True], [False, True]])
    assert learners.readable(present[1:2]) is None
    both = [False, True, False] if absent == "skip" else [True, True, True]
    assert learners.readable(present).tolist() == [[True, True, False], both]


BASES = [
    (CLASSES, LogisticRegression()),
    (CLASSES, RandomForestClassifier(5)),
    (CLASSES, HistGradientBoostingClassifier(max_iter=5)),
    (CLASSES, CalibratedClassifierCV(SVC(), cv=2)),
    (CLASSES, make_pipeline(SelectKBest(k=2), GaussianNB())),
    (CLASSES, GridSearchCV(KNeighborsClassifier(algorithm="brute"), {"n_neighbors": [3, 5]}, cv=2)),
    (CLASSES, MLPClassifier((3,), max_iter=5, early_stopping=True)),
    (CLASSES, "linear"),
    (VALUE, "linear"),
    (VALUE, GradientBoostingRegressor(n_estimators=5)),
    (VALUE, GaussianProcessRegressor(RBF() + WhiteKernel())),
    (VALUES, HistGradientBoostingRegressor(max_iter=5)),
]


@pytest.mark.parametrize(("spec", "base"), BASES, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_learner_is_the_same_after_its_state_was_loaded(spec, base):
    """Bit for bit; scikit-learn's own needs no word of trust. So is a copy in another precision."""
    learner = fitted(base, spec)
    assert (again(learner).predict(X) == learner.predict(X)).all()
    values = torch.from_numpy(X)
    assert torch.equal(copy.deepcopy(learner).to(torch.float64)(values), learner(values))
    assert learner(values.float()).dtype == torch.float32


def test_a_foreign_type_needs_trust():
    """The message names the type, and what to write."""
    learner = fitted(Majority())
    name = f"{Majority.__module__}.Majority"
    with pytest.raises(ValueError, match=rf"not known to be safe: '{name}'.*load\(folder, trusted=\['{name}'\]\)"):
        again(learner)
    assert (again(learner, [name]).predict(X) == learner.predict(X)).all()


def test_cut_bytes_are_refused():
    """As every damaged file, with what to do."""
    state = fitted(LogisticRegression()).state_dict()
    with pytest.raises(ValueError, match="cannot be read: it is damaged"):
        Learner("linear", CLASSES).load_state_dict({name: value[:-40] for name, value in state.items()})


def _beyond_the_nodes(nodes):
    nodes["left_child"][0] = 10**9


def _beyond_the_features(nodes):
    nodes["feature"][0] = 10**9


def _round_in_a_circle(nodes):
    nodes["right_child"][0] = 0


@pytest.mark.parametrize("harm", [_beyond_the_nodes, _beyond_the_features, _round_in_a_circle])
def test_trees_that_lead_astray_are_refused(harm):
    """Scikit-learn would read beyond its memory, or never come back."""
    forest = fitted(RandomForestClassifier(2)).estimator
    tree = forest.estimators_[1].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    harm(nodes)
    tree.__setstate__({**state, "nodes": nodes})
    with pytest.raises(ValueError, match="a tree whose nodes lead nowhere"):
        read_learner(written_learner(forest))


@pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("feature_idx", 99), ("right", 0)])
def test_boosted_trees_that_lead_astray_are_refused(field, value):
    """The same of histogram gradient boosting."""
    booster = fitted(HistGradientBoostingClassifier(max_iter=2)).estimator
    booster._predictors[1][0].nodes[field][0] = value
    with pytest.raises(ValueError, match="a tree whose nodes lead nowhere"):
        read_learner(written_learner(booster))


def test_trees_of_another_width_are_refused():
    """A forest hands its samples to its trees unseen: their number of features must be its own."""
    forest = fitted(RandomForestClassifier(2)).estimator
    forest.n_features_in_ = 2
    with pytest.raises(ValueError, match="a tree whose nodes lead nowhere"):
        read_learner(written_learner(forest))
