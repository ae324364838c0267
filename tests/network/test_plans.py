"""Plans and their stages."""

from dataclasses import asdict, replace

import pytest

from drumlib.network.training_config import (
    CONFIGS,
    SCHEDULES,
    TrainingConfig,
    config_for,
    in_parts,
    is_over,
    learning_rate_at,
)


def losses(*values: float) -> list[dict]:
    return [{"val_loss": value} for value in values]


def test_the_rate_falls_when_nothing_is_gained():
    plan = TrainingConfig(learning_rate=1e-3, lr_patience=2)
    past = losses(1.0, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4)
    assert [learning_rate_at(past[:n], plan) for n in range(8)] == [1e-3] * 4 + [2.5e-4] * 3 + [6.25e-5]


def test_the_thesis_schedule_is_the_thesiss():
    """Its epochs add up to 125, and its stages run from the end of the network to its beginning (4.3)."""
    stages = SCHEDULES["layer-wise"]
    assert sum(stage.epochs for stage in stages) == 125
    assert [stage.parts[0] for stage in stages][:5] == ["everything", "decoder", "middle", "encoder", "convolutions"]


def test_a_stage_has_its_own_rate_and_its_own_patience():
    plan = TrainingConfig(epochs=125, schedule="layer-wise", lr_patience=2)
    past = losses(*[1.0] * 15)  # nothing gained in all of the first stage
    assert learning_rate_at(past[:14], plan) < 1e-3
    assert learning_rate_at(past, plan) == 1e-3 and plan.stage(15).parts == ("decoder",)
    assert learning_rate_at(losses(*[1.0] * 40), plan) == 5e-4
    assert plan.stage(124).learning_rate == 1e-4 and plan.stage(125) is None


def test_a_stage_without_gain_does_not_end_the_training():
    plan = TrainingConfig(epochs=125, schedule="layer-wise", patience=3)
    assert not is_over(losses(*[1.0] * 30), plan)
    assert not is_over(losses(*[1.0] * 78), plan)  # three epochs in the last stage, the first of which was a gain
    assert is_over(losses(*[1.0] * 79), plan)
    assert is_over(losses(*[1.0] * 5), TrainingConfig(epochs=5)) and is_over(
        losses(*[1.0] * 5), TrainingConfig(patience=3)
    )
    assert not is_over(losses(5, 4, 3, 2, 1), TrainingConfig(patience=3))


def test_which_weights_belong_to_which_part():
    assert in_parts("piano/beat/kernel", ("convolutions",)) and in_parts("piano/beat/kernel", ("encoder",))
    assert not in_parts("piano/lstm/forward_lstm/kernel", ("convolutions",))
    assert in_parts("bottleneck/mean/kernel", ("middle",)) and in_parts("conductor/cell/kernel", ("encoder", "middle"))
    assert not in_parts("decoder/lower/kernel", ("encoder", "middle")) and in_parts("decoder/x", ("decoder",))


def test_plans_of_presets():
    assert config_for("thesis") == TrainingConfig() and config_for("thesis", epochs=3, seed=None) == TrainingConfig(
        epochs=3
    )
    assert (
        config_for("band-conv", seed=4).learning_rate == CONFIGS["band-conv"].learning_rate
        and config_for("band-conv", seed=4).seed == 4
    )


def test_all_humanizers_are_trained_alike():
    """But for how narrow the bottleneck is, where there is one."""
    plans = [config_for(name) for name in ("humanize", "humanize-untold", "humanize-bottleneck")]
    assert plans[0] == plans[1] == replace(plans[2], kl_weight=plans[0].kl_weight) == CONFIGS["humanize"]
    assert plans[2].kl_weight == 0.05


@pytest.mark.parametrize("preset", ["thesis", "band-conv"])
@pytest.mark.parametrize(("schedule", "epochs"), [("layer-wise", 125), ("layer-wise-short", 15), ("transfer", 54)])
def test_all_stages_have_their_turn_unless_epochs_are_given(preset, schedule, epochs):
    plan = config_for(preset, schedule=schedule)
    assert plan.epochs == epochs and plan.stage(epochs - 1) == SCHEDULES[schedule][-1] and plan.stage(epochs) is None
    assert config_for(preset, schedule=schedule, epochs=12).epochs == 12
    assert TrainingConfig(schedule=schedule).epochs == epochs and TrainingConfig(**asdict(plan)) == plan
    assert TrainingConfig().epochs == TrainingConfig(schedule="plain").epochs == 50 and config_for(
        preset, schedule="plain"
    ) == config_for(preset)


@pytest.mark.parametrize("rate", [5e-4, TrainingConfig.learning_rate])
def test_a_rate_beside_stages_is_refused_and_not_ignored(rate):
    with pytest.raises(ValueError, match="each stage of the schedule 'transfer' has a rate of its own: no other rate"):
        config_for("thesis", schedule="transfer", learning_rate=rate)
    assert config_for("thesis", learning_rate=rate).learning_rate == rate
    with pytest.raises(ValueError, match="'layer-wise' has a rate of its own: no other rate"):
        TrainingConfig(schedule="layer-wise", learning_rate=5e-4)


def test_a_cosine_beside_stages_is_refused_and_not_obeyed():
    with pytest.raises(ValueError, match="'layer-wise' has a rate of its own: the rate cannot fall by cosine"):
        TrainingConfig(schedule="layer-wise", lr_schedule="cosine")
    with pytest.raises(ValueError, match="by cosine"):
        config_for("humanize", schedule="layer-wise")
    assert config_for("humanize", schedule="layer-wise", lr_schedule="plateau").epochs == 125


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"learning_rate": 0.0}, {"instrument_dropout": 1.5}, {"kl_weight": -1.0}, {"schedule": "jazz"}],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        TrainingConfig(**wrong)
