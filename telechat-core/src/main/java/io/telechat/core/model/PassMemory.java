// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/** Memory for passes through a model, and for their logits, that grows with the largest of them. Not thread-safe. */
public final class PassMemory implements AutoCloseable {
    private final CausalLm model;
    private TensorArena activationArena;
    private TensorArena logitsArena;
    private Activations activations;
    private Tensor logits;

    public PassMemory(CausalLm model) {
        this.model = model;
        this.activationArena = model.backend().memory().newArena();
        this.logitsArena = model.backend().memory().newArena();
        this.activations = model.newActivations(1, activationArena);
        this.logits = logitsArena.allocate(DType.F32, 1, model.config().vocabSize());
    }

    /** With room for so many rows; those that were given out before are worthless then. */
    public Activations activations(int rows) {
        if (rows > activations.capacity()) {
            TensorArena larger = model.backend().memory().newArena();
            activations = model.newActivations(rows, larger);
            activationArena.close();
            activationArena = larger;
        }
        return activations;
    }

    /** [rows, vocab]; what was given out before may be the same memory, or none. */
    public Tensor logits(int rows) {
        if (rows > logits.rows()) {
            TensorArena larger = model.backend().memory().newArena();
            logits = larger.allocate(DType.F32, rows, model.config().vocabSize());
            logitsArena.close();
            logitsArena = larger;
        }
        return logits.rows(0, rows);
    }

    @Override
    public void close() {
        activationArena.close();
        logitsArena.close();
    }
}
