// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.RankException;
import io.telechat.core.lora.LoraAdapters;
import io.telechat.core.lora.LoraDropout;
import io.telechat.core.lora.LoraOps;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.PassMirror;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.zip.CRC32;

/** Loads a checkpoint onto several ranks, each of which takes its part of it, and computes with it. */
public final class ModelInParts {
    private ModelInParts() {}

    /**
     * What is loaded, the same on all ranks.
     *
     * @param quantization Q8 or Q4 to round matrices to that are not quantized yet
     * @param adapters directories in PEFT's format
     */
    public record Loading(Optional<DType> quantization, List<Path> adapters, LoadProgress progress) {}

    /**
     * On the first rank: the model, as if it were in one piece. Whatever it computes, the other ranks compute with it. Closing
     * it closes checkpoint and backend, and lets the other ranks go.
     *
     * @param ops of the backend, or a decorator of them
     * @param release run when the other ranks have been let go
     * @throws InvalidRequestException if the model cannot be cut so, or the backends cannot work together
     * @throws io.telechat.core.comm.RankException if another rank has failed to load its part
     */
    public static CausalLm lead(
            ModelLoader.Checked checked,
            Backend backend,
            Ops ops,
            Loading loading,
            Communicator ranks,
            Runnable release) {
        Leader leader = new Leader(ranks);
        return load(checked, backend, ops, loading, ranks, leader, release, leader::close);
    }

    /**
     * On every other rank: computes what the first one does, and returns when that closes its model. Closes checkpoint and backend.
     *
     * @throws io.telechat.core.comm.RankException if another rank has failed
     */
    public static void follow(
            ModelLoader.Checked checked, Backend backend, Ops ops, Loading loading, Communicator ranks) {
        try (CausalLm model = load(checked, backend, ops, loading, ranks, PassMirror.NONE);
                Follower follower = new Follower(model, ranks)) {
            follower.run();
        }
    }

    /** @param releases run when the model is closed, the last one first */
    private static CausalLm load(
            ModelLoader.Checked checked,
            Backend backend,
            Ops ops,
            Loading loading,
            Communicator ranks,
            PassMirror mirror,
            Runnable... releases) {
        requireSameModel(checked, ranks);
        backend.connect(ranks);
        ModelPart part = new ModelPart(checked.config(), ranks.rank(), ranks.size());
        Deque<Runnable> inOrder = new ArrayDeque<>();
        Ops local = ops;
        if (!loading.adapters().isEmpty()) {
            List<LoraAdapters> adapters = new ArrayList<>();
            for (Path directory : loading.adapters()) {
                adapters.add(LoraAdapters.read(directory, part, backend));
                inOrder.push(adapters.getLast()::close);
            }
            LoraOps adapted = new LoraOps(ops, adapters, LoraDropout.none(backend), backend);
            inOrder.push(adapted::close);
            local = adapted;
        }
        TensorParallelOps parallel = new TensorParallelOps(local, backend.memory(), part, ranks);
        inOrder.push(parallel::close);
        try {
            ParameterStore parameters =
                    ModelLoader.parameters(checked, part, backend, loading.quantization(), loading.progress());
            ranks.barrier(); // all have what they need
            for (Runnable release : releases) {
                inOrder.push(release);
            }
            return new CausalLm(part, parameters, backend, parallel, mirror, inOrder.toArray(Runnable[]::new));
        } catch (RuntimeException | Error e) {
            inOrder.forEach(Runnable::run);
            throw e;
        }
    }

    /** By names and shapes of all tensors, and the bytes of one that each training changes. */
    private static void requireSameModel(ModelLoader.Checked checked, Communicator ranks) {
        Checkpoint checkpoint = checked.checkpoint();
        CRC32 crc = new CRC32();
        new TreeSet<>(checkpoint.names())
                .forEach(name -> crc.update(
                        (name + checkpoint.dtype(name) + checkpoint.shape(name)).getBytes(StandardCharsets.UTF_8)));
        String norm = checked.config().architecture().finalNormName(checked.config());
        crc.update(checkpoint.tensor(norm).segment().asByteBuffer());
        double[][] all = ranks.gather(crc.getValue());
        for (int r = 1; r < all.length; r++) {
            if (all[r][0] != all[0][0]) {
                throw new RankException("rank %d has another model than rank 0", r);
            }
        }
    }
}
