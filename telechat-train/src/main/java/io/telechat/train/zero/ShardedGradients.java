// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.comm.Pending;
import io.telechat.core.model.Section;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.training.FullGradients;
import java.util.ArrayList;
import java.util.List;

/**
 * Gradients cut among ranks: those of a section are whole while its backward pass runs, and then summed, each rank's share by that
 * rank, beside the backward pass of the next section. In stages that do not cut them, they stay whole until the update.
 */
public final class ShardedGradients extends FullGradients implements AutoCloseable {
    private final ModelConfig config;
    private final ShardedParameters parameters;
    private final Buffers buffers;
    private final List<Buffers.Buffer> open = new ArrayList<>();
    private EmbeddingWeights embedding;
    private LayerWeights layer;
    private HeadWeights head;

    public ShardedGradients(GradOps ops, ModelConfig config, ShardedParameters parameters) {
        super(ops);
        this.config = config;
        this.parameters = parameters;
        this.buffers = new Buffers(
                isCut() ? parameters.flats(Section.layer(0)) : List.of(), flat -> DType.F32, parameters.memory());
    }

    private boolean isCut() {
        return parameters.stage().cuts(ZeroStage.GRADIENTS);
    }

    @Override
    public void begin(Section section) {
        switch (section.kind()) {
            case EMBEDDING -> embedding = parameters.embedding(memory(section));
            case LAYER -> layer = parameters.layer(section.layer(), memory(section));
            case HEAD -> {
                if (config.tiedHead()) {
                    begin(Section.EMBEDDING);
                }
                head = parameters.head(memory(section), embedding);
            }
        }
    }

    private List<Tensor> memory(Section section) {
        List<FlatParameters> flats = parameters.flats(section);
        if (!isCut()) {
            return flats.stream().map(FlatParameters::allGradients).toList();
        }
        Buffers.Buffer buffer = buffers.take(section, flats);
        buffer.flats().forEach(Tensor::clear);
        open.add(buffer);
        return buffer.flats();
    }

    @Override
    public void end(Section section) {
        if (!isCut()) {
            return;
        }
        if (section.kind() == Section.Kind.HEAD && config.tiedHead()) {
            sum(Section.HEAD, open.removeLast());
            sum(Section.EMBEDDING, open.removeLast());
        } else {
            sum(section, open.removeLast());
        }
    }

    private void sum(Section section, Buffers.Buffer buffer) {
        List<FlatParameters> flats = parameters.flats(section);
        List<Pending> pending = new ArrayList<>();
        for (int i = 0; i < flats.size(); i++) {
            pending.add(flats.get(i).scatter(buffer.flats().get(i)));
        }
        buffer.goesOn(pending);
        buffer.close();
    }

    /** All passes of an update have been made: sums what is not summed yet. */
    public void gathered() {
        buffers.await();
        if (!isCut()) {
            parameters.sumGradients();
        }
    }

    @Override
    protected Weight matrix(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING -> embedding.table();
            case HEAD -> head.matrix();
            default -> layer.matrix(id.part());
        };
    }

    @Override
    protected Tensor normWeight(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING_NORM -> embedding.norm().orElseThrow();
            case FINAL_NORM -> head.norm();
            default -> layer.norm(id.part());
        };
    }

    @Override
    public void close() {
        buffers.close();
    }
}
