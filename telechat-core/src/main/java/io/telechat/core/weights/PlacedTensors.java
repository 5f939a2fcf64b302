// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Tensors of a checkpoint, or a part's share of them, in the form that a backend computes with: mapped where the file's layout
 * is that form, and otherwise copied, whereupon the file's pages are let go. What is transposed only to be quantized or cut is
 * gone when its matrix is.
 */
final class PlacedTensors implements WeightSource, AutoCloseable {
    private final Checkpoint checkpoint;
    private final ModelPart part;
    private final DeviceMemory memory;
    private final WorkerTeam workers;
    private final WeightScan scan;
    private final Optional<WeightQuantizer> quantizer;
    private final TensorArena device;
    private final TensorArena host;
    private final List<String> names = new ArrayList<>();
    private final boolean isOnHost;
    private HostArena temporary = new HostArena();

    /**
     * @param part whose share of the matrices is taken
     * @param quantization the type to round matrices to that are not quantized yet
     * @param device for copies in the backend's memory
     * @param host for those that stay in this process's
     */
    PlacedTensors(
            Checkpoint checkpoint,
            ModelPart part,
            DeviceMemory memory,
            WorkerTeam workers,
            Optional<DType> quantization,
            WeightScan scan,
            TensorArena device,
            TensorArena host) {
        this.checkpoint = checkpoint;
        this.part = part;
        this.memory = memory;
        this.workers = workers;
        this.scan = scan;
        this.quantizer = quantization.map(dtype -> new WeightQuantizer(dtype, workers));
        this.device = device;
        this.host = host;
        this.isOnHost = memory.isOnHost();
    }

    @Override
    public Tensor get(String name) {
        names.add(name);
        Tensor tensor = checkpoint.tensor(name, copies(name));
        if (!part.isCut()) {
            scan.see(name, tensor);
        }
        return tensor;
    }

    /** Where a tensor goes that has to be copied out of its file: a matrix that is rounded or cut is copied again. */
    private TensorArena copies(String name) {
        boolean isMatrix = checkpoint.shape(name).rank() == 2;
        boolean isRounded = quantizer.isPresent() && !checkpoint.dtype(name).isQuantized();
        return isMatrix && (isRounded || part.isCut()) ? temporary : kept();
    }

    @Override
    public Tensor transposed(String name) {
        Tensor from = get(name);
        boolean stays = quantizer.isEmpty() && !part.isCut();
        return CheckpointTensors.transposed(from, stays ? kept() : temporary, workers);
    }

    /** Of a matrix that is cut, no more is read than this part's share: unless it is rounded first, for which rows are whole. */
    @Override
    public Weight transposedMatrix(WeightId id, String name) {
        Tensor stored = checkpoint.tensor(name);
        Optional<ModelPart.Range> columns = part.columns(id.part());
        boolean isWhole = !part.isCut() || stored.dtype().isQuantized() || quantizer.isPresent() && columns.isPresent();
        if (isWhole) {
            return matrix(id, transposed(name));
        }
        List<Tensor> blocks = new ArrayList<>();
        if (columns.isPresent()) {
            Tensor own = stored.rows(columns.get().from(), columns.get().to());
            blocks.add(CheckpointTensors.transposed(own, kept(), workers));
        } else {
            for (ModelPart.Range range : part.rows(id.part())) {
                Tensor own = (quantizer.isPresent() ? temporary : kept())
                        .allocate(stored.dtype(), range.size(), stored.rows());
                Transposition.copy(stored, range.from(), own, workers);
                blocks.add(own);
            }
        }
        stored.leaveMemory();
        blocks.forEach(block -> scan.see(name, block));
        Weight own = Weight.of(id, blocks.toArray(Tensor[]::new));
        Weight placed = memory.place(quantizer.map(q -> q.quantize(own, kept())).orElse(own), device);
        letGo();
        return placed;
    }

    @Override
    public Tensor norm(String name) {
        Tensor tensor = get(name);
        if (part.isCut()) {
            scan.see(name, tensor);
        }
        names.clear();
        return memory.place(tensor, device);
    }

    @Override
    public Weight matrix(WeightId id, List<Weight.Block> blocks) {
        Weight stored = new Weight(id, blocks);
        Weight rows = part.isCut() ? rows(stored) : stored;
        Weight quantized = quantizer
                .map(q -> q.quantize(rows, part.columns(id.part()).isPresent() ? temporary : kept()))
                .orElse(rows);
        Weight own = part.isCut() ? own(rows, quantized) : quantized;
        for (Weight.Block block : stored.blocks()) {
            if (quantizer.isPresent() && !block.matrix().dtype().isQuantized()
                    || part.columns(id.part()).isPresent()) {
                block.matrix().leaveMemory();
            }
        }
        Weight placed = memory.place(own, device);
        letGo();
        names.clear();
        return placed;
    }

    /** For what the model is computed with, unless that is in a device's memory, to which it is copied. */
    private TensorArena kept() {
        return isOnHost ? host : temporary;
    }

    /** What a matrix was made of, once it is made. */
    private void letGo() {
        temporary.close();
        temporary = new HostArena();
    }

    private Weight rows(Weight stored) {
        try {
            return part.rows(stored);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(
                    e,
                    "%s cannot be cut into %d parts: a part of a quantized matrix is a multiple of %d rows; cut the"
                            + " model into fewer parts, or use weights that are not quantized",
                    String.join(", ", names),
                    part.count(),
                    QuantizedLayout.PANEL);
        }
    }

    /** What this part holds, out of the memory that is let go. */
    private Weight own(Weight stored, Weight rows) {
        Optional<ModelPart.Range> columns = part.columns(rows.id().part());
        List<Weight.Block> blocks = new ArrayList<>();
        for (int i = 0; i < rows.blocks().size(); i++) {
            Weight.Block block = rows.blocks().get(i);
            boolean isRounded = block.matrix() != stored.blocks().get(i).matrix();
            Tensor matrix = columns.map(c -> new ColumnCut(c, workers).copy(block.matrix(), kept()))
                    .orElseGet(() -> isRounded ? block.matrix() : kept(block.matrix()));
            scan.see(String.join(", ", names), matrix);
            boolean answers = columns.isEmpty() || part.index() == 0; // sums over the parts hold a bias once
            blocks.add(new Weight.Block(matrix, answers ? block.bias() : Optional.empty()));
        }
        return new Weight(rows.id(), blocks);
    }

    /** Rows of a mapped file stay where they are; those of a copy go when that goes. */
    private Tensor kept(Tensor rows) {
        if (rows.segment().isMapped()) {
            return rows;
        }
        Tensor copy = kept().allocate(rows.dtype(), rows.shape().toArray());
        copy.segment().copyFrom(rows.segment());
        return copy;
    }

    @Override
    public void close() {
        temporary.close();
    }
}
