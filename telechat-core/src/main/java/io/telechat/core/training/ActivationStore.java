// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.training;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.model.Activations;
import io.telechat.core.model.LayerGradients;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;

/**
 * What the forward pass leaves for the backward pass. Each layer keeps what is dear to compute; its norms and the product of
 * its gates cost a pass over memory, share one place, and are computed again. With checkpointing, a layer keeps its input
 * only, and all layers share the rest (Chen et al. 2016, arXiv:1604.06174).
 */
final class ActivationStore {
    private final boolean checkpointing;
    private final List<Activations> layers = new ArrayList<>();
    private final LayerGradients.Spare spare;

    /** @param kept type of what is kept between the products: F32 or BF16 */
    ActivationStore(ModelConfig config, int rows, boolean checkpointing, DType kept, TensorArena arena) {
        this.checkpointing = checkpointing;
        this.spare = LayerGradients.Spare.allocate(config, rows, kept, arena);
        Tensor norm = arena.allocate(DType.F32, rows, config.hidden());
        Tensor ffn = arena.allocate(DType.F32, rows, config.ffn());
        Tensor x = arena.allocate(DType.F32, rows, config.hidden());
        Activations previous = null;
        for (int i = 0; i < config.layers(); i++) {
            Tensor y = arena.allocate(DType.F32, rows, config.hidden());
            previous = checkpointing && previous != null
                    ? sharing(previous, x, y)
                    : allocate(config, rows, kept, arena, x, y, norm, ffn);
            layers.add(previous);
            x = y;
        }
    }

    private static Activations allocate(
            ModelConfig config, int rows, DType kept, TensorArena arena, Tensor x, Tensor y, Tensor norm, Tensor ffn) {
        HeadLayout heads = config.heads();
        Tensor qkv = arena.allocate(kept, rows, heads.qkvWidth());
        return new Activations(
                x,
                y,
                norm,
                arena.allocate(DType.F32, rows),
                config.headNorm() ? arena.allocate(kept, rows, heads.qkvWidth()) : qkv,
                arena.allocate(DType.F32, rows * Activations.normedHeads(config)),
                qkv,
                arena.allocate(kept, rows, heads.queryWidth()),
                arena.allocate(DType.F32, rows, heads.heads()),
                arena.allocate(DType.F32, rows, config.hidden()),
                norm,
                arena.allocate(DType.F32, rows),
                arena.allocate(kept, rows, 2L * config.ffn()),
                ffn);
    }

    private static Activations sharing(Activations a, Tensor x, Tensor y) {
        return new Activations(
                x,
                y,
                a.norm1(),
                a.rstd1(),
                a.projected(),
                a.rstdHeads(),
                a.qkv(),
                a.attn(),
                a.lse(),
                a.h(),
                a.norm2(),
                a.rstd2(),
                a.gateUp(),
                a.ffn());
    }

    /** Bytes of all activations of so many rows. */
    static long bytes(ModelConfig config, int rows, boolean checkpointing, DType kept) {
        HeadLayout heads = config.heads();
        long narrow = heads.queryWidth() + 2L * config.ffn() + (config.headNorm() ? 2L : 1L) * heads.qkvWidth();
        long floats = 2L + heads.heads() + config.hidden() + Activations.normedHeads(config);
        long layer = kept.bytes() * narrow + DType.F32.bytes() * floats;
        long inputs = (config.layers() + 1L) * config.hidden();
        long shared = inputs + config.hidden() + config.ffn();
        return rows * (DType.F32.bytes() * shared + (checkpointing ? 1 : config.layers()) * layer);
    }

    Activations layer(int index) {
        return layers.get(index);
    }

    /** Of a layer whose activations the backward pass is about to use up. */
    LayerGradients gradients(int index) {
        return LayerGradients.inPlaceOf(layers.get(index), spare);
    }

    /** Whether a layer's activations have to be computed again before its backward pass. */
    boolean isRecomputed(int index) {
        return checkpointing && index + 1 < layers.size(); // the last layer's are still there
    }

    /** What all layers' shared norm is kept in. */
    Tensor norm() {
        return layers.getFirst().norm1();
    }
}
