// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.resume;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.comm.Communicator;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.train.TrainedModel;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentKind;
import io.telechat.train.optimizer.TrainedTensor;
import io.telechat.train.zero.PieceStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * {@code optimizer.safetensors}: what a run must remember beside the model's own files, by the names of whole tensors, whichever
 * ranks have had it: the running means, and parameters that the model's files have rounded.
 */
final class OptimizerFile {
    private static final long COPIED_BYTES = 1 << 20;

    private final TrainedModel model;
    private final Communicator ranks;
    private final Map<String, AdamW.State> states = new LinkedHashMap<>();
    /** Codes last, for floats behind them would not be aligned. */
    private final Map<String, Item> items = new LinkedHashMap<>();

    /**
     * A tensor of the file.
     *
     * @param kind which moments; empty for the parameter itself
     */
    private record Item(TrainedTensor tensor, Optional<MomentKind> kind) {
        String name() {
            return kind.map(MomentKind::name).orElse("value") + "." + tensor.name();
        }

        DType dtype() {
            return kind.map(MomentKind::dtype).orElse(DType.F32);
        }

        long elementsPerItem() {
            return kind.map(MomentKind::elementsPerItem).orElse(1L);
        }

        SafetensorsWriter.Entry entry() {
            return new SafetensorsWriter.Entry(
                    dtype(), kind.map(k -> k.shape(tensor.shape())).orElse(tensor.shape()));
        }
    }

    OptimizerFile(TrainedModel model, AdamW optimizer, Communicator ranks) {
        this.model = model;
        this.ranks = ranks;
        optimizer.states().forEach(state -> states.put(state.parameter().name(), state));
        Map<String, Item> codes = new LinkedHashMap<>();
        for (TrainedTensor tensor : model.tensors()) {
            for (MomentKind kind : optimizer.kinds(tensor.shape().elements())) {
                Item item = new Item(tensor, Optional.of(kind));
                (kind.dtype() == DType.F32 ? items : codes).put(item.name(), item);
            }
            if (!model.savesExactly()) {
                Item item = new Item(tensor, Optional.empty());
                items.put(item.name(), item);
            }
        }
        items.putAll(codes);
    }

    /** What this rank has of an item. */
    private Tensor own(Item item) {
        AdamW.State state = states.get(item.tensor().name());
        return item.kind()
                .map(kind -> state.moments().tensors().get(kind.name()))
                .orElse(state.parameter().value());
    }

    /** All ranks call this; the first one writes. */
    void write(Path file) {
        if (ranks.rank() != 0) {
            items.values().forEach(item -> stream(item, (part, from) -> {}));
            return;
        }
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        items.forEach((name, item) -> entries.put(name, item.entry()));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, entries)) {
            items.forEach((name, item) -> {
                Tensor to = writer.tensor(name);
                stream(
                        item,
                        (part, from) ->
                                copy(part, to.segment(), from * part.dtype().bytes()));
            });
            writer.commit();
        }
    }

    private void stream(Item item, PieceStream.Sink sink) {
        PieceStream.toFirst(
                ranks,
                item.tensor(),
                item.dtype(),
                item.elementsPerItem(),
                piece -> flat(model.backend().memory().toHost(own(item))),
                sink);
        if (states.containsKey(item.tensor().name())) {
            own(item).leaveMemory();
        }
    }

    private static Tensor flat(Tensor tensor) {
        return tensor.reshape(tensor.shape().elements());
    }

    /** What is written stays with the system, not with us. */
    private static void copy(Tensor part, MemorySegment to, long offset) {
        MemorySegment from = part.segment();
        for (long at = 0; at < from.byteSize(); at += COPIED_BYTES) {
            long bytes = Math.min(COPIED_BYTES, from.byteSize() - at);
            MemorySegment place = to.asSlice(offset + at, bytes);
            place.copyFrom(from.asSlice(at, bytes));
            place.unload();
        }
    }

    /**
     * Takes what this rank has from the file.
     *
     * @throws InvalidModelException if it is of another run
     */
    void read(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile stored = SafetensorsFile.open(file, arena);
            items.forEach((name, item) -> {
                SafetensorsWriter.Entry entry = item.entry();
                if (!stored.tensors().containsKey(name)
                        || stored.tensor(name).dtype() != entry.dtype()
                        || !stored.tensor(name).shape().equals(entry.shape())) {
                    throw new InvalidModelException(
                            "%s: has no %s of %s%s; it is of another run", file, name, entry.dtype(), entry.shape());
                }
            });
            items.forEach((name, item) -> {
                if (states.containsKey(item.tensor().name())) {
                    Tensor own = own(item);
                    long from = states.get(item.tensor().name()).parameter().from() / item.elementsPerItem();
                    Tensor part = flat(stored.tensor(name))
                            .rows(from, from + own.shape().elements());
                    model.backend().memory().write(part.reshape(own.shape().toArray()), own);
                }
            });
        }
    }
}
