"""Precision and devices."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import keras


@contextlib.contextmanager
def precision(mixed: bool):
    """Within this, layers are made that multiply in half precision (bfloat16) and keep their weights in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def use_all_devices() -> int:
    """Part every batch among all GPUs, if there are several (Keras's own distribution). Returns how many are used.

    Call it before a network is built. It is Keras with JAX that can do this; with TensorFlow one GPU is used.
    """
    # All devices are asked for: JAX raises where GPUs are asked for and there is none.
    listed = keras.distribution.list_devices() if keras.backend.backend() == "jax" else []
    devices = [device for device in listed if not device.startswith("cpu")]
    if len(devices) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    return max(1, len(devices))


def scalars_for_tensorboard(folder: Path) -> Callable[[int, dict], None]:
    """A function that writes an epoch's figures for TensorBoard; where that is not installed, it does nothing.

    After a resumed run the steps go on where they were: they are the epochs.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError:
        return lambda epoch, figures: None
    writer = Writer(str(folder))

    def write(epoch: int, figures: dict) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step=epoch)
        writer.flush()

    return write
