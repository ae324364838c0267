"""Keras's LSTM, faster in training on a CPU with TensorFlow: the same cell, weights and outputs.

Keras computes all products of a step at that step, and TensorFlow differentiates that loop over time as it stands.
Under teacher forcing every input is known before the first step, so only the recurrent product depends on the step
before. The others are computed for all steps at once, as a few large matrix products:

- the inputs times their weights, before the loop;
- a context vector that is the same at every step, times its weights: once instead of once a step;
- in the backward pass, the gradients of all weights: each is a sum over steps, so one product after the loop.

The backward pass is written out: backpropagation through time (Werbos 1990) for the cell of Hochreiter and Schmidhuber
(1997). ``bench/network_speed.py`` measures the gain.
"""

import keras
from keras import ops

MIN_UNITS = 64
"""Smaller layers use Keras's own loop: their products are fast, and this loop takes longer to trace."""


@keras.saving.register_keras_serializable("drumlib")  # Bidirectional makes its second LSTM from the configuration
class LSTM(keras.layers.LSTM):
    """``keras.layers.LSTM`` with the same weights and outputs, faster in training on a CPU with TensorFlow.

    Elsewhere Keras's own implementation runs: on a GPU it is one fused kernel, and JAX compiles the whole loop.

    ``context`` is a further input that is the same at every step, (B, V); the weights are built for both, concatenated.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False, context=None):
        if not training or mask is not None or sequences.shape[1] is None or not is_faster(self.cell.units):
            if context is not None:
                every = ops.repeat(context[:, None], ops.shape(sequences)[1], axis=1)  # (B, V) -> (B, T, V)
                sequences = ops.concatenate([sequences, every], axis=-1)  # (B, T, I + V)
            return super().call(sequences, initial_state, mask, training)
        cell, inputs = self.cell, sequences.shape[-1]
        weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
        kernel, recurrent, bias = (ops.cast(ops.convert_to_tensor(w), self.compute_dtype) for w in weights)
        x = ops.transpose(sequences, (1, 0, 2))  # (B, T, I) -> (T, B, I)
        if self.go_backwards:
            x = ops.flip(x, axis=0)
        z = ops.matmul(ops.reshape(x, (-1, inputs)), kernel[:inputs])  # (T * B, 4 * units)
        z = ops.reshape(z, (x.shape[0], -1, z.shape[-1]))  # (T, B, 4 * units)
        if context is not None:
            bias = bias + ops.matmul(context, kernel[inputs:])  # (B, V) -> (B, 4 * units), the same at every step
        z = z + bias
        zero = ops.zeros_like(z[0, :, : cell.units])  # (B, units)
        h, c = initial_state or (zero, zero)
        outputs = through_time(z, recurrent, h, c)  # (T, B, units)
        return ops.transpose(outputs, (1, 0, 2)) if self.return_sequences else outputs[-1]  # (B, T, units), (B, units)


def is_faster(units: int) -> bool:
    """Whether the loop of this file is the faster one for a layer of so many units, on this backend and device."""
    return units >= MIN_UNITS and keras.backend.backend() == "tensorflow" and not keras.distribution.list_devices("gpu")


@ops.custom_gradient
def through_time(z, recurrent, h, c):
    """The LSTM's loop over time, with its backward pass.

    ``z`` (T, B, 4 * units) are the inputs times their weights, plus bias; ``recurrent`` (units, 4 * units) the
    recurrent weights; ``h`` and ``c`` (B, units) the initial states. Returns h after every step, (T, B, units).
    """
    h_before, outputs, kept = [], [], []
    for z_now in ops.unstack(z, axis=0):
        h_before.append(h)
        gates = ops.split(z_now + ops.matmul(h, recurrent), 4, axis=-1)  # 4 x (B, units)
        i, f, g, o = ops.sigmoid(gates[0]), ops.sigmoid(gates[1]), ops.tanh(gates[2]), ops.sigmoid(gates[3])
        c_before, c = c, f * c + i * g
        tanh_c = ops.tanh(c)
        h = o * tanh_c
        outputs.append(h)
        kept.append((i, f, g, o, tanh_c, c_before))

    def backward(*upstream):
        """From the gradient by the outputs, (T, B, units), to those by z, recurrent, h and c."""
        by_h, by_c, by_z = ops.zeros_like(h), ops.zeros_like(c), []
        transposed = ops.transpose(recurrent)  # (4 * units, units)
        steps = zip(ops.unstack(upstream[0], axis=0), kept, strict=True)
        for by_output, (i, f, g, o, tanh_c, c_before) in reversed(list(steps)):
            by_h = by_h + by_output
            by_c = by_c + by_h * (o - o * tanh_c * tanh_c)
            by_gates = [
                by_c * (g * i * (1 - i)),
                by_c * (c_before * f * (1 - f)),
                by_c * (i - i * g * g),
                by_h * (tanh_c * o * (1 - o)),
            ]
            by_z.append(ops.concatenate(by_gates, axis=-1))  # 4 x (B, units) -> (B, 4 * units)
            by_h, by_c = ops.matmul(by_z[-1], transposed), by_c * f  # (B, units), (B, units)
        by_z = by_z[::-1]
        # The gradient by the recurrent weights, a sum over steps, as one product of all steps of all rows.
        by_recurrent = ops.matmul(ops.transpose(ops.concatenate(h_before)), ops.concatenate(by_z))  # (units, 4 * units)
        return ops.stack(by_z), by_recurrent, by_h, by_c

    return ops.stack(outputs), backward
