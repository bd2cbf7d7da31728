"""A number that goes geometrically from one value to another while a module is trained."""

from dataclasses import dataclass, replace

from plait.training.trainer import Trainer


@dataclass(frozen=True)
class Ramp:
    """From one value at the first step to another at the last, by equal factors.

    Args:
        first: Value at step 0, above 0.
        last: Value at step `steps` - 1 and after it, above 0.
        steps: Number of steps, at least 1; of one step it is the first value.
    """

    first: float
    last: float
    steps: int

    def __call__(self, step: int) -> float:
        """The value at a step, counted from 0."""
        done = min(step, self.steps - 1) / max(1, self.steps - 1)
        return float(self.first * (self.last / self.first) ** done)


def of_steps(trainer: Trainer, steps: int, samples: int) -> tuple[Trainer, int]:
    """A trainer that takes at least so many steps, in whole epochs, and how many it takes.

    Args:
        trainer: Its epochs are set; where an epoch would be longer than all steps, it is shortened as well.
        steps: Steps, at least 1.
        samples: Number of training samples.
    """
    seen = min(samples, steps * trainer.batch_size)
    each = -(-seen // trainer.batch_size)
    epochs = -(-steps // each)
    return replace(trainer, epochs=epochs, epoch_samples=seen), epochs * each
