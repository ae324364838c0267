"""Adam for layer-wise training."""

import keras

from drumlib.network.training_config import TrainingConfig, TrainingStage, in_parts


class StagedAdam(keras.optimizers.Adam):
    """Adam with a mask of weights: those that are not trained have the learning rate zero.

    Keras's own ``trainable`` would need the network to be compiled again at every stage.
    """

    def build(self, variables):
        super().build(variables)
        self.paths = [variable.path for variable in variables]
        self.mask = [self.add_variable((), initializer="ones", name=f"learns_{i}") for i in range(len(variables))]

    def update_step(self, gradient, variable, learning_rate):
        mask = self.mask[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * keras.ops.cast(mask, variable.dtype))

    def finalize_variable_values(self, variables):
        """Does nothing: Keras would overwrite the weights with their average at the end of fit, which is one epoch."""

    def active_weights(self, stage: TrainingStage) -> list[bool]:
        """Which weights are trained in a stage. Raises ValueError if the network has none of its parts."""
        active = [in_parts(path, stage.parts) for path in self.paths]
        if not any(active):
            raise ValueError(f"the network has no weights that are its {' or '.join(stage.parts)}")
        return active

    def activate_stage(self, stage: TrainingStage) -> None:
        """Train only this stage's parts. Raises ValueError if the network has none of them."""
        for mask, active in zip(self.mask, self.active_weights(stage), strict=True):
            mask.assign(float(active))


def check_stages(network, config: TrainingConfig) -> None:
    """Check before training that the network has weights to train in every stage.

    Raises ValueError, which names the stage, if it has none.
    """
    for number, stage in enumerate(config.stages, start=1):
        try:
            network.optimizer.active_weights(stage)
        except ValueError as error:
            which = f"stage {number} of {len(config.stages)} of the schedule {config.schedule!r}"
            raise ValueError(f"{which} cannot be trained: {error}") from None
