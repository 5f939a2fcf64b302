// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.architecture.Architecture;
import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.Pending;
import io.telechat.core.model.Lease;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.Section;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Storage;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.weights.ModelLoader;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * Parameters that are not trained, of any type, cut among ranks: the bytes of a section lie one behind the other, and each rank keeps
 * an equal share of them. A section is gathered when it is leased, the next one meanwhile, and let go when the lease is closed.
 */
public final class FrozenParameters implements ParameterStore {
    private static final long ALIGNMENT = 64;

    private final ModelConfig config;
    private final Communicator ranks;
    private final DeviceMemory memory;
    private final TensorArena shares;
    private final Map<Section, Cut<?>> cuts = new HashMap<>();
    private final Map<Section, Gathered> gathered = new HashMap<>();

    /**
     * A section that is not here.
     *
     * @param form its weights, of which the shapes are left
     * @param places of its tensors among the section's bytes
     * @param share this rank's bytes
     */
    private record Cut<T>(T form, Map<Tensor, Long> places, Tensor share) {}

    /** A section's bytes of all ranks, or on their way. */
    private record Gathered(TensorArena arena, Tensor bytes, Pending pending) implements AutoCloseable {
        @Override
        public void close() {
            pending.await();
            arena.close();
        }
    }

    /**
     * Loads the model section by section, and keeps this rank's share of each. Closes the checkpoint.
     *
     * @param quantization the type to round matrices to that are not quantized yet
     */
    public FrozenParameters(
            ModelLoader.Checked checked, Backend backend, Optional<DType> quantization, Communicator ranks) {
        this.config = checked.config();
        this.ranks = ranks;
        this.memory = backend.memory();
        this.shares = memory.newArena();
        Architecture architecture = config.architecture();
        try {
            load(
                    checked,
                    backend,
                    quantization,
                    Section.EMBEDDING,
                    s -> architecture.embedding(config, s),
                    (w, f) -> w.map(f));
            for (int i = 0; i < config.layers(); i++) {
                int layer = i;
                load(
                        checked,
                        backend,
                        quantization,
                        Section.layer(i),
                        s -> architecture.layer(config, layer, s),
                        (w, f) -> w.map(f));
            }
            EmbeddingWeights table =
                    (EmbeddingWeights) cuts.get(Section.EMBEDDING).form();
            load(
                    checked,
                    backend,
                    quantization,
                    Section.HEAD,
                    s -> architecture.head(config, s, table),
                    (w, f) -> config.tiedHead() ? new HeadWeights(f.apply(w.norm()), w.matrix()) : w.map(f));
            checked.close();
        } catch (RuntimeException | Error e) {
            shares.close();
            throw e;
        }
    }

    private <T> void load(
            ModelLoader.Checked checked,
            Backend backend,
            Optional<DType> quantization,
            Section section,
            ModelLoader.Visitor<T> assemble,
            BiFunction<T, UnaryOperator<Tensor>, T> map) {
        cuts.put(section, ModelLoader.visit(checked, backend, quantization, tensors -> cut(tensors, assemble, map)));
    }

    private <T> Cut<T> cut(
            WeightSource tensors, ModelLoader.Visitor<T> assemble, BiFunction<T, UnaryOperator<Tensor>, T> map) {
        T weights = assemble.visit(tensors);
        Map<Tensor, Long> places = new IdentityHashMap<>();
        long[] end = {0};
        map.apply(weights, tensor -> {
            places.put(tensor, end[0]);
            end[0] += roundUp(tensor.storage().byteSize());
            return tensor;
        });
        long bytes = roundUp(Math.ceilDiv(end[0], ranks.size()));
        Tensor share = shares.allocate(DType.U8, bytes);
        long first = ranks.rank() * bytes;
        places.forEach((tensor, place) -> {
            long from = Math.max(first, place);
            long to = Math.min(first + bytes, place + tensor.storage().byteSize());
            if (from < to) {
                memory.write(bytes(tensor, from - place, to - place), bytes(share, from - first, to - first));
            }
        });
        return new Cut<>(weights, places, share);
    }

    private static Tensor bytes(Tensor tensor, long from, long to) {
        return new Tensor(DType.U8, Shape.of(to - from), tensor.storage().bytes(from, to));
    }

    private static long roundUp(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    @Override
    public void prefetch(Section section) {
        if (!gathered.containsKey(section)) {
            Tensor share = cuts.get(section).share();
            TensorArena arena = memory.newArena();
            Tensor bytes = arena.allocate(DType.U8, ranks.size() * share.bytes());
            gathered.put(section, new Gathered(arena, bytes, ranks.allGather(share, bytes)));
        }
    }

    /** The tensors of a section, by those of its form. */
    private static UnaryOperator<Tensor> tensors(Cut<?> cut, Gathered whole) {
        return form -> {
            long place = cut.places().get(form);
            long end = place + form.storage().byteSize();
            Storage bytes = whole.bytes().storage().bytes(place, end);
            return new Tensor(form.dtype(), form.shape(), form.storage().laidOutIn(bytes));
        };
    }

    private Gathered gather(Section section) {
        prefetch(section);
        Gathered whole = gathered.remove(section);
        whole.pending().await();
        return whole;
    }

    @Override
    public Lease<EmbeddingWeights> embedding() {
        Cut<?> cut = cuts.get(Section.EMBEDDING);
        Gathered whole = gather(Section.EMBEDDING);
        return Lease.of(((EmbeddingWeights) cut.form()).map(tensors(cut, whole)), whole::close);
    }

    @Override
    public Lease<LayerWeights> layer(int index) {
        Cut<?> cut = cuts.get(Section.layer(index));
        Gathered whole = gather(Section.layer(index));
        return Lease.of(((LayerWeights) cut.form()).map(tensors(cut, whole)), whole::close);
    }

    @Override
    public Lease<HeadWeights> head() {
        Cut<?> cut = cuts.get(Section.HEAD);
        Gathered whole = gather(Section.HEAD);
        HeadWeights form = (HeadWeights) cut.form();
        if (!config.tiedHead()) {
            return Lease.of(form.map(tensors(cut, whole)), whole::close);
        }
        Lease<EmbeddingWeights> table = embedding();
        Tensor norm = tensors(cut, whole).apply(form.norm());
        return Lease.of(new HeadWeights(norm, table.weights().table()), () -> {
            table.close();
            whole.close();
        });
    }

    /** Bytes of this rank's shares. */
    public long bytes() {
        return shares.bytes();
    }

    @Override
    public void close() {
        gathered.values().forEach(Gathered::close);
        shares.close();
    }
}
