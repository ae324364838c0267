"""The network: its layers, presets, losses and training. This is the first room that needs Keras.

Keras is imported with TensorFlow below it unless the environment variable KERAS_BACKEND names another. What else
``~/.keras/keras.json`` may say (floatx, epsilon, image_data_format) is set to Keras's own defaults: with other values,
the same weights would play other drums.
"""

import os
import sys
import tempfile


def _import_quietly() -> None:
    """Import Keras without the notes on processors and graphics cards that TensorFlow prints while it loads.

    They come from compiled code and go straight to file descriptor 2, past Python's ``sys.stderr``. If the import
    fails, what was held back is printed after all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return
    try:
        kept = os.dup(2)
    except OSError:  # somebody has closed it (``2>&-``): there is nothing to hold back
        import keras  # noqa: F401

        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _import_keras() -> None:
    """Import Keras with the backend and the settings that our networks are made for.

    Raises ImportError if the backend is not installed.
    """
    chosen = os.environ.get("KERAS_BACKEND")
    if not chosen:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("KERAS_NNX_ENABLED", "false")
    try:
        _import_quietly()
    except ModuleNotFoundError as error:
        if chosen and error.name == chosen:
            how = "install it, or unset KERAS_BACKEND to compute with TensorFlow"
            raise ImportError(f"KERAS_BACKEND is {chosen}, and {chosen} is not installed: {how}") from None
        raise
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


_import_keras()
