"""Adam for layer-wise training."""

import keras

from drumlib.network.training_config import TrainingConfig, TrainingStage, in_parts


class StagedAdam(keras.optimizers.Adam):
    """Adam, for which some weights can stand still: for them, the learning rate is zero.

    Keras would have the network compiled anew whenever other layers are to learn; this way, nothing is.
    """

    def build(self, variables):
        super().build(variables)
        self.paths = [variable.path for variable in variables]
        self.learns = [self.add_variable((), initializer="ones", name=f"learns_{i}") for i in range(len(variables))]

    def update_step(self, gradient, variable, learning_rate):
        learns = self.learns[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * keras.ops.cast(learns, variable.dtype))

    def finalize_variable_values(self, variables):
        """Nothing: Keras would leave the average in place of the weights at the end of a fit, and ours is an epoch."""

    def active_weights(self, stage: TrainingStage) -> list[bool]:
        """Which weights learn in a stage. Raises ValueError if the network has none of its parts."""
        moving = [in_parts(path, stage.parts) for path in self.paths]
        if not any(moving):
            raise ValueError(f"the network has no weights that are its {' or '.join(stage.parts)}")
        return moving

    def activate_stage(self, stage: TrainingStage) -> None:
        """Let only this stage's parts learn. Raises ValueError if the network has none of them."""
        for learns, moves in zip(self.learns, self.active_weights(stage), strict=True):
            learns.assign(float(moves))


def check_stages(network, plan: TrainingConfig) -> None:
    """See that every stage of a plan has something to move, before the first of them has taken its hours.

    Raises ValueError, which names the stage, if one has not.
    """
    for number, stage in enumerate(plan.stages, start=1):
        try:
            network.optimizer.active_weights(stage)
        except ValueError as error:
            whose = f"stage {number} of {len(plan.stages)} of the schedule {plan.schedule!r}"
            raise ValueError(f"{whose} cannot be trained: {error}") from None
