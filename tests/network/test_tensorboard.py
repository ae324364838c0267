"""What TensorBoard is given: every figure of every epoch, with the epoch as its step."""

import pytest

from drumlib.network.devices import scalars_for_tensorboard


def test_an_epochs_figures_can_be_read_back(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    write = scalars_for_tensorboard(tmp_path)
    write(0, {"loss": 2.0, "val_loss": 3.0})
    write(1, {"loss": 1.5, "val_loss": 2.5})
    again = scalars_for_tensorboard(tmp_path)  # a resumed run
    again(2, {"loss": 1.25, "val_loss": 2.75})
    log = EventAccumulator(str(tmp_path)).Reload()
    assert sorted(log.Tags()["tensors"]) == ["loss", "val_loss"]
    read = [(event.step, make_ndarray(event.tensor_proto).item()) for event in log.Tensors("loss")]
    assert read == [(0, 2.0), (1, 1.5), (2, 1.25)]
