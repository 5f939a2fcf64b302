// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.comm.Pending;
import io.telechat.core.model.Section;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Memory for a section's whole tensors while they are in use: two buffers for the layers, so that one is filled or emptied while
 * the other is computed with, and memory of its own for each of the two ends of the model, which are larger and in use once.
 */
final class Buffers implements AutoCloseable {
    private static final int LAYERS = 2;

    private final DeviceMemory memory;
    private final TensorArena arena;
    private final Function<FlatParameters, DType> dtype;
    private final List<Buffer> layers = new ArrayList<>();

    /** Memory for one section, with what still goes on in it. */
    static final class Buffer implements AutoCloseable {
        private final List<Tensor> flats;
        private final TensorArena own;
        private List<Pending> pending = List.of();
        private boolean taken;

        private Buffer(List<Tensor> flats, TensorArena own) {
            this.flats = flats;
            this.own = own;
        }

        /** For each flat of the section. */
        List<Tensor> flats() {
            return flats;
        }

        void goesOn(List<Pending> operations) {
            pending = operations;
        }

        void await() {
            pending.forEach(Pending::await);
            pending = List.of();
        }

        /** Gives it back; what goes on in it is awaited by who takes it next. */
        @Override
        public void close() {
            taken = false;
            if (own != null) {
                await();
                own.close();
            }
        }
    }

    /**
     * @param layer its flats; those of all layers are alike
     * @param dtype of what is kept for a flat
     * @param memory that is computed in
     */
    Buffers(List<FlatParameters> layer, Function<FlatParameters, DType> dtype, DeviceMemory memory) {
        this.dtype = dtype;
        this.memory = memory;
        this.arena = memory.newArena();
        for (int i = 0; i < LAYERS; i++) {
            layers.add(new Buffer(allocate(layer, arena), null));
        }
    }

    private List<Tensor> allocate(List<FlatParameters> flats, TensorArena from) {
        return flats.stream()
                .map(f -> from.allocate(dtype.apply(f), f.elements()))
                .toList();
    }

    /** One for a section of these flats, in which nothing goes on. */
    Buffer take(Section section, List<FlatParameters> flats) {
        if (section.kind() == Section.Kind.LAYER) {
            return layer();
        }
        TensorArena own = memory.newArena();
        return new Buffer(allocate(flats, own), own);
    }

    private Buffer layer() {
        Buffer free = layers.stream()
                .filter(b -> !b.taken)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("more than " + LAYERS + " layers are leased"));
        free.await();
        free.taken = true;
        layers.remove(free);
        layers.addLast(free); // the other one is next
        return free;
    }

    /** Waits for all that goes on. */
    void await() {
        layers.forEach(Buffer::await);
    }

    @Override
    public void close() {
        arena.close();
    }
}
