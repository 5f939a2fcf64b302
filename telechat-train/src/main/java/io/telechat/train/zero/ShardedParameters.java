// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.architecture.Architecture;
import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.Pending;
import io.telechat.core.model.Lease;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.Section;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.weights.StoredLayout;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All parameters of a model, cut among ranks. Where they are cut themselves (stage 3), a section is gathered when it is leased, the
 * next one meanwhile, and let go when the lease is closed.
 */
public final class ShardedParameters implements ParameterStore {
    private final ModelConfig config;
    private final Backend backend;
    private final ZeroStage stage;
    private final Communicator ranks;
    private final TensorArena arena;
    private final TensorArena masterArena;
    private final Map<Section, List<FlatParameters>> flats = new LinkedHashMap<>();
    private final Buffers buffers;
    private final Map<Section, Buffers.Buffer> gathered = new LinkedHashMap<>();

    /**
     * Reads this rank's share of a checked checkpoint, which is still the caller's.
     *
     * @param dtype of the matrices that are computed with: F32 or BF16
     * @param masterArena for the F32 originals of what is rounded; belongs to this object from now on
     */
    public ShardedParameters(
            ModelLoader.Checked checked,
            Backend backend,
            DType dtype,
            ZeroStage stage,
            Communicator ranks,
            TensorArena masterArena) {
        this.config = checked.config();
        this.backend = backend;
        this.stage = stage;
        this.ranks = ranks;
        this.arena = backend.memory().newArena();
        this.masterArena = masterArena;
        try {
            SectionTensors.of(config, checked.checkpoint())
                    .forEach((section, tensors) -> flats.put(section, flats(tensors, dtype, ranks)));
            this.buffers = new Buffers(
                    stage.cuts(ZeroStage.PARAMETERS) ? flats.get(Section.layer(0)) : List.of(),
                    FlatParameters::dtype,
                    backend.memory());
            read(checked.checkpoint());
            update(Rounding.NEAREST, 0);
        } catch (RuntimeException | Error e) {
            arena.close();
            masterArena.close();
            throw e;
        }
    }

    /** Matrices may be rounded; norms and biases are not. */
    private List<FlatParameters> flats(List<TensorSpec> tensors, DType dtype, Communicator ranks) {
        List<FlatParameters> made = new ArrayList<>();
        for (boolean matrices : new boolean[] {true, false}) {
            List<TensorSpec> some = tensors.stream()
                    .filter(spec -> spec.shape().rank() == 2 == matrices)
                    .toList();
            if (!some.isEmpty()) {
                FlatLayout layout = FlatLayout.of(some, ranks.size());
                made.add(new FlatParameters(layout, matrices ? dtype : DType.F32, stage, ranks, arena, masterArena));
            }
        }
        return made;
    }

    public ZeroStage stage() {
        return stage;
    }

    /** What its tensors are in. */
    DeviceMemory memory() {
        return backend.memory();
    }

    List<FlatParameters> flats(Section section) {
        return flats.get(section);
    }

    private void forEach(Consumer<FlatParameters> action) {
        flats.values().forEach(of -> of.forEach(action));
    }

    /** What this rank's optimizer updates. */
    public List<Trained> trained() {
        List<Trained> trained = new ArrayList<>();
        forEach(flat -> trained.addAll(flat.trained()));
        return trained;
    }

    /** All tensors, and who has what of them. */
    public List<TrainedTensor> tensors() {
        List<TrainedTensor> tensors = new ArrayList<>();
        for (FlatParameters flat : all()) {
            for (FlatLayout.Place place : flat.layout().places()) {
                tensors.add(new TrainedTensor(
                        place.spec().name(),
                        place.spec().computedShape(),
                        flat.layout().pieces(place, stage, ranks.size())));
            }
        }
        return tensors;
    }

    /** Writes a checkpoint of the model; the first rank does, with the help of the others. */
    public void write(Path directory, DType dtype) {
        Map<String, TensorSpec> specs = new LinkedHashMap<>();
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        Map<String, TrainedTensor> tensors = new LinkedHashMap<>();
        for (FlatParameters flat : all()) {
            flat.layout().places().forEach(place -> specs.put(place.spec().name(), place.spec()));
        }
        for (TrainedTensor tensor : tensors()) {
            tensors.put(tensor.name(), tensor);
            entries.put(
                    tensor.name(),
                    new SafetensorsWriter.Entry(dtype, specs.get(tensor.name()).shape()));
        }
        Map<String, Tensor> own = new LinkedHashMap<>();
        trained().forEach(t -> own.put(t.name(), t.value()));
        if (ranks.rank() == 0) {
            CheckpointWriter.write(
                    directory,
                    entries,
                    (name, to) -> stream(
                            tensors.get(name),
                            own,
                            (part, from) ->
                                    StoredLayout.writePart(part, from, specs.get(name), to, backend.workers())));
        } else {
            tensors.values().forEach(tensor -> stream(tensor, own, (part, from) -> {}));
        }
    }

    private void stream(TrainedTensor tensor, Map<String, Tensor> own, PieceStream.Sink sink) {
        PieceStream.toFirst(ranks, tensor, DType.F32, 1, piece -> memory().toHost(own.get(tensor.name())), sink);
    }

    /** All flats, in the order of the computation. */
    List<FlatParameters> all() {
        List<FlatParameters> all = new ArrayList<>();
        forEach(all::add);
        return all;
    }

    public void clearGradients() {
        forEach(FlatParameters::clearGradients);
    }

    /** Sums gradients that have stayed whole so far. */
    void sumGradients() {
        List<Pending> pending = new ArrayList<>();
        forEach(flat -> pending.add(flat.sumGradients()));
        pending.forEach(Pending::await);
    }

    /** Brings the values up to date with the masters; all ranks do. */
    public void update(Rounding rounding, long seed) {
        forEach(flat -> flat.update(backend.gradOps(), rounding, seed));
    }

    /** Takes this rank's share of the masters from a checkpoint of the same model; the values are still to be updated. */
    public void read(Checkpoint checkpoint) {
        for (FlatParameters flat : all()) {
            for (FlatLayout.Part part : flat.parts()) {
                TensorSpec spec = part.place().spec();
                Tensor stored = checkpoint.tensor(spec.name());
                read(stored, part.from(), spec, flat.master(part));
                stored.leaveMemory();
            }
        }
    }

    private void read(Tensor stored, long from, TensorSpec spec, Tensor to) {
        if (to.isOnHost()) {
            StoredLayout.readPart(stored, from, spec, to, backend.workers());
            return;
        }
        try (HostArena temporary = new HostArena()) {
            Tensor part = temporary.allocate(DType.F32, to.shape().toArray());
            StoredLayout.readPart(stored, from, spec, part, backend.workers());
            memory().write(part, to);
        }
    }

    /** The tensors of a section in these flats, as the architecture asks for them. */
    WeightSource source(Section section, List<Tensor> memory) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        List<FlatParameters> of = flats.get(section);
        for (int i = 0; i < of.size(); i++) {
            Tensor flat = memory.get(i);
            for (FlatLayout.Place place : of.get(i).layout().places()) {
                tensors.put(
                        place.spec().name(),
                        flat.rows(place.offset(), place.offset() + place.elements())
                                .reshape(place.spec().computedShape().toArray()));
            }
        }
        return SectionTensors.source(tensors::get);
    }

    private Architecture architecture() {
        return config.architecture();
    }

    EmbeddingWeights embedding(List<Tensor> memory) {
        return architecture().embedding(config, source(Section.EMBEDDING, memory));
    }

    LayerWeights layer(int index, List<Tensor> memory) {
        return architecture().layer(config, index, source(Section.layer(index), memory));
    }

    HeadWeights head(List<Tensor> memory, EmbeddingWeights embedding) {
        return architecture().head(config, source(Section.HEAD, memory), embedding);
    }

    @Override
    public Lease<EmbeddingWeights> embedding() {
        Held held = hold(Section.EMBEDDING);
        return Lease.of(embedding(held.memory()), held.release());
    }

    @Override
    public Lease<LayerWeights> layer(int index) {
        Held held = hold(Section.layer(index));
        return Lease.of(layer(index, held.memory()), held.release());
    }

    @Override
    public Lease<HeadWeights> head() {
        Held held = hold(Section.HEAD);
        if (!config.tiedHead()) {
            return Lease.of(head(held.memory(), null), held.release());
        }
        Lease<EmbeddingWeights> table = embedding();
        return Lease.of(head(held.memory(), table.weights()), () -> {
            table.close();
            held.release().run();
        });
    }

    /** The memory of a section's whole tensors. */
    private record Held(List<Tensor> memory, Runnable release) {}

    private Held hold(Section section) {
        if (!stage.cuts(ZeroStage.PARAMETERS)) {
            return new Held(
                    flats.get(section).stream().map(FlatParameters::allValues).toList(), () -> {});
        }
        prefetch(section);
        Buffers.Buffer buffer = gathered.remove(section);
        buffer.await();
        return new Held(buffer.flats(), buffer::close);
    }

    @Override
    public void prefetch(Section section) {
        if (stage.cuts(ZeroStage.PARAMETERS) && !gathered.containsKey(section)) {
            List<FlatParameters> of = flats.get(section);
            Buffers.Buffer buffer = buffers.take(section, of);
            List<Pending> pending = new ArrayList<>();
            for (int i = 0; i < of.size(); i++) {
                pending.add(of.get(i).gather(buffer.flats().get(i)));
            }
            buffer.goesOn(pending);
            gathered.put(section, buffer);
        }
    }

    /** Bytes that stay, all ranks' shares being equal: masters, values and gradients. */
    public long bytes() {
        return arena.bytes() + masterArena.bytes();
    }

    @Override
    public void close() {
        gathered.values().forEach(Buffers.Buffer::close);
        buffers.close();
        arena.close();
        masterArena.close();
    }
}
