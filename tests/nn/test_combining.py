"""What an ensemble predicts and loses: renormalised weights, fallbacks, votes."""

import numpy as np
import pytest
import torch

from plait.nn.ensemble_net import mean_of_readers
from plait.nn.screening import inverse_loss_weights
from plait.nn.validation import LOGITS, PROBABILITIES, VALUES, Validation


def combine(predictions, weights, usable, fallback, prior):
    """What a net predicts of these students."""
    tensors = [torch.tensor(part) for part in (predictions, usable, weights, fallback)]
    mean, reached = mean_of_readers(*tensors)
    return np.where(reached.numpy()[:, None], mean.numpy(), prior)


def test_combining_renormalises_over_the_students_that_can_read_a_row():
    """Weights 0.6 and 0.3 become 2/3 and 1/3 where the third student is absent; its values do not matter."""
    predictions = np.array([[[3.0], [3.0]], [[6.0], [6.0]], [[1.0], [np.nan]]])
    usable = np.array([[True, True], [True, True], [True, False]])
    weights = np.array([0.6, 0.3, 0.1])
    mean = combine(predictions, weights, usable, weights, np.array([9.0]))
    assert mean == pytest.approx(np.array([[3.7], [4.0]]))


def test_rows_beyond_the_ensemble_fall_back_step_by_step():
    """The ensemble, then the fallback weights, then the prior."""
    predictions = np.array([[[1.0]], [[2.0]], [[4.0]], [[8.0]]]).repeat(4, axis=1)
    usable = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=bool)
    weights, fallback = np.array([1.0, 0, 0, 0]), np.array([0.5, 0.25, 0.125, 0.125])
    mean = combine(predictions, weights, usable, fallback, np.array([-1.0]))
    assert mean.ravel().tolist() == [1.0, 4.0, 8.0, -1.0]


def _vote(classes, weights):
    votes = np.eye(3)[np.array(classes)][:, None, :]
    usable = np.ones((len(classes), 1), dtype=bool)
    return int(combine(votes, np.array(weights), usable, np.array(weights), np.full(3, 1 / 3)).argmax())


@pytest.mark.parametrize(("classes", "winner"), [([2, 1, 1], 1), ([2, 1], 1), ([2, 1, 0], 0), ([2, 2, 1, 1, 0], 1)])
def test_majority_vote_by_hand(classes, winner):
    """Simple weights on votes: the most frequent class, ties to the smallest."""
    assert _vote(classes, np.full(len(classes), 1 / len(classes))) == winner


def test_majority_ties_stay_exact_for_any_number_of_students():
    """Equal shares are counted, not rounded: class 0 wins every tie with class 1."""
    for half in range(1, 60):
        order = np.random.default_rng(half).permutation(np.repeat([0, 1], half))
        assert _vote(order, np.full(2 * half, 1 / (2 * half))) == 0


@pytest.mark.parametrize(
    ("classes", "losses", "winner"),
    [([2, 1, 1], [1.0, 4.0, 4.0], 2), ([2, 1, 1], [1.0, 1.5, 4.0], 2), ([2, 1, 1], [1.0, 2.0, 2.0], 1)],
)
def test_weighted_vote_by_hand(classes, losses, winner):
    """1 / loss weights on votes: one good student outvotes two poor ones; a tie goes to the smaller class."""
    assert _vote(classes, inverse_loss_weights(np.array(losses))) == winner


def test_losses_of_averages():
    """Cross-entropy of probabilities (clipped) and of logits, squared error over outputs."""
    target = np.array([0, 1])
    shares = np.array([[0.5, 0.5], [1.0, 0.0]])
    clipped = -np.log(np.finfo(float).eps)
    assert PROBABILITIES.losses(shares, target) == pytest.approx([np.log(2), clipped])
    assert LOGITS.losses(np.array([[0.0, 0.0], [900.0, 0.0]]), target) == pytest.approx([np.log(2), 900])
    assert VALUES.losses(np.array([[1.0, 3.0]]), np.zeros((1, 2))) == pytest.approx([5.0])


@pytest.mark.parametrize("absent", [0.0, 0.5])
def test_the_loss_of_weights_is_the_loss_of_the_combined_prediction(absent):
    """Selection and prediction agree on what an ensemble is."""
    prior = np.full(3, 1 / 3)
    random = np.random.default_rng(7)
    predictions, usable = random.dirichlet(np.ones(3), size=(4, 30)), random.random((4, 30)) >= absent
    target = random.integers(0, 3, size=30)
    validation = Validation(predictions, target, usable, np.ones(4), PROBABILITIES, prior)
    weights = np.array([0.7, 0.3, 0, 0])
    mean = combine(predictions, weights, usable, weights, prior)
    mean[~usable[:2].any(axis=0)] = prior
    assert validation.loss(weights) == pytest.approx(PROBABILITIES.losses(mean, target).mean())


@pytest.mark.parametrize("space", [PROBABILITIES, LOGITS])
@pytest.mark.parametrize("prior", [None, np.array([0.2, 0.3, 0.5])])
def test_true_classes_tell_the_loss_of_every_ensemble(space, prior):
    """Of probabilities they are all that is kept; rows that nobody can read, and rows drawn again, count as before."""
    random = np.random.default_rng(7)
    predictions, usable = random.dirichlet(np.ones(3), size=(4, 30)), random.random((4, 30)) >= 0.5
    whole = Validation(predictions, random.integers(0, 3, size=30), usable, np.ones(4), space, prior)
    drawn = random.integers(0, 30, 30)
    weights = np.array([0.7, 0.3, 0, 0])
    told = whole.of_true_classes()
    assert told.predictions.shape[-1] == (1 if space is PROBABILITIES else 3)
    assert told.loss(weights) == pytest.approx(whole.loss(weights))
    assert told.rows(drawn).loss(weights) == pytest.approx(whole.rows(drawn).loss(weights))
    np.testing.assert_allclose(told.rows(drawn).losses, whole.rows(drawn).losses)
    np.testing.assert_allclose(told.of_true_classes().predictions, told.predictions)


def test_an_ensemble_that_reads_no_row_has_an_infinite_loss():
    """Without a prior there is nothing to judge it on; with one it is judged as the prior."""
    target = np.array([0, 0])
    arguments = (
        np.full((1, 2, 2), 0.5),
        target,
        np.zeros((1, 2), dtype=bool),
        np.array([0.1]),
        PROBABILITIES,
    )
    assert Validation(*arguments).loss(np.ones(1)) == np.inf
    assert Validation(*arguments, np.array([0.25, 0.75])).loss(np.ones(1)) == pytest.approx(np.log(4))
