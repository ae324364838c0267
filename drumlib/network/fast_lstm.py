"""Keras's LSTM, learning faster on a CPU: the same cell and the same weights, with the work put in another order.

Keras does all of a step's products at that step, and TensorFlow differentiates that walk through time as it finds it.
But under teacher forcing every input is known before the first step, so only one product must wait for the step
before: the state's. The others are made for all steps at once, and large products run faster than many small ones:

- the inputs times their weights, before the walk;
- what stands beside every step, as the conductor's vector does, times its weights: once, and not once a step;
- in the walk back, the gradients of all the weights: each is a sum over steps, and so one product after the walk.

The walk back is written out here: backpropagation through time (Werbos 1990), for the cell of Hochreiter and
Schmidhuber (1997). ``bench/network_speed.py`` measures what that gains.
"""

import keras
from keras import ops

SMALL = 64
"""A layer of fewer units is left to Keras: its products are soon done, and this walk takes longer to build."""


@keras.saving.register_keras_serializable("drumlib")  # so that Bidirectional can make a second one of it
class LSTM(keras.layers.LSTM):
    """``keras.layers.LSTM``, with its weights and its answers. In training on a CPU, with TensorFlow, it is faster.

    Anywhere else Keras's own way is taken: on a GPU it is a kernel made for this, and JAX compiles the whole walk.

    ``beside`` is what every step is told besides its own input, (B, V); the weights are built for both side by side.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False, beside=None):
        if not training or mask is not None or sequences.shape[1] is None or not is_faster(self.cell.units):
            if beside is not None:
                every = ops.repeat(beside[:, None], ops.shape(sequences)[1], axis=1)  # (B, V) -> (B, T, V)
                sequences = ops.concatenate([sequences, every], axis=-1)  # (B, T, I + V)
            return super().call(sequences, initial_state, mask, training)
        cell, inputs = self.cell, sequences.shape[-1]
        weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
        kernel, recurrent, bias = (ops.cast(ops.convert_to_tensor(w), self.compute_dtype) for w in weights)
        x = ops.transpose(sequences, (1, 0, 2))  # (B, T, I) -> (T, B, I): step by step
        if self.go_backwards:
            x = ops.flip(x, axis=0)
        z = ops.matmul(ops.reshape(x, (-1, inputs)), kernel[:inputs])  # (T * B, 4 * units)
        z = ops.reshape(z, (x.shape[0], -1, z.shape[-1]))  # (T, B, 4 * units)
        if beside is not None:
            bias = bias + ops.matmul(beside, kernel[inputs:])  # (B, V) -> (B, 4 * units), at every step the same
        z = z + bias
        nothing = ops.zeros_like(z[0, :, : cell.units])  # (B, units)
        h, c = initial_state or (nothing, nothing)
        said = through_time(z, recurrent, h, c)  # (T, B, units)
        return ops.transpose(said, (1, 0, 2)) if self.return_sequences else said[-1]  # (B, T, units), or (B, units)


def is_faster(units: int) -> bool:
    """Whether the walk of this file is the faster one here, for a layer of so many units."""
    return units >= SMALL and keras.backend.backend() == "tensorflow" and not keras.distribution.list_devices("gpu")


@ops.custom_gradient
def through_time(z, recurrent, h, c):
    """The walk through time, and the walk back.

    ``z`` (T, B, 4 * units) is what the inputs say to the four gates, ``recurrent`` (units, 4 * units) the weights of
    the state, ``h`` and ``c`` (B, units) the state before the first step. Returns h after every step, (T, B, units).
    """
    before, said, seen = [], [], []
    for z_now in ops.unstack(z, axis=0):
        before.append(h)
        gates = ops.split(z_now + ops.matmul(h, recurrent), 4, axis=-1)  # 4 x (B, units)
        i, f, g, o = ops.sigmoid(gates[0]), ops.sigmoid(gates[1]), ops.tanh(gates[2]), ops.sigmoid(gates[3])
        c_before, c = c, f * c + i * g
        loud = ops.tanh(c)
        h = o * loud
        said.append(h)
        seen.append((i, f, g, o, loud, c_before))

    def back(*upstream):
        """From the loss's gradient by what was said, (T, B, units), to that by z, by the weights and by the state."""
        by_h, by_c, by_z = ops.zeros_like(h), ops.zeros_like(c), []
        turned = ops.transpose(recurrent)  # (4 * units, units)
        steps = zip(ops.unstack(upstream[0], axis=0), seen, strict=True)
        for by_said, (i, f, g, o, loud, c_before) in reversed(list(steps)):
            by_h = by_h + by_said
            by_c = by_c + by_h * (o - o * loud * loud)
            by_gates = [
                by_c * (g * i * (1 - i)),
                by_c * (c_before * f * (1 - f)),
                by_c * (i - i * g * g),
                by_h * (loud * o * (1 - o)),
            ]
            by_z.append(ops.concatenate(by_gates, axis=-1))  # 4 x (B, units) -> (B, 4 * units)
            by_h, by_c = ops.matmul(by_z[-1], turned), by_c * f  # (B, units), (B, units)
        by_z = by_z[::-1]
        # A sum over steps of h times by_z: one product, where all steps of all rows stand below each other.
        by_recurrent = ops.matmul(ops.transpose(ops.concatenate(before)), ops.concatenate(by_z))  # (units, 4 * units)
        return ops.stack(by_z), by_recurrent, by_h, by_c

    return ops.stack(said), back
