// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendChoice;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.Ops;
import io.telechat.core.parallel.ModelInParts;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Loads a model in parts, each computed by threads of its own, or by another process.
 *
 * @param directory of the checkpoint
 */
record PartLoader(Path directory, List<Path> adapters, LoadOptions options) {
    /** Between two questions the parts wait for as long as the user likes. */
    private static final Duration PATIENCE = Duration.ofDays(10_000);

    /** Whether a model that is loaded so is cut. */
    static boolean cuts(LoadOptions options) {
        return options.tensorParallel() > 1 || options.ranks().isPresent();
    }

    /** What the first part of the model is computed with, or all of it. */
    static BackendChoice share(LoadOptions options) {
        return share(options, options.ranks().map(Communicator::numberHere).orElse(0));
    }

    private static BackendChoice share(LoadOptions options, int numberHere) {
        BackendChoice all = options.backend();
        return all.withThreads(Math.max(1, all.threads() / options.tensorParallel()))
                .forRank(numberHere);
    }

    static Ops ops(Backend backend, LoadOptions options) {
        return options.activations() == DType.BF16 ? backend.roundingOps() : backend.ops();
    }

    /** The first part, which the others follow. */
    CausalLm lead(ModelLoader.Checked checked, Backend backend, Ops ops) {
        if (options.ranks().isPresent()) {
            Communicator others = options.ranks().get();
            return ModelInParts.lead(checked, backend, ops, loading(options.progress()), others, () -> {});
        }
        LocalRanks ranks = LocalRanks.beside(options.tensorParallel(), PATIENCE, this::follow);
        try {
            return ModelInParts.lead(checked, backend, ops, loading(options.progress()), ranks.first(), ranks::close);
        } catch (RuntimeException | Error e) {
            ranks.abort();
            ranks.close();
            if (e instanceof RankException) {
                ranks.throwFailure(); // it is why this rank fails
            }
            throw e;
        }
    }

    /** Another part; returns when the first one is closed. */
    void follow(Communicator ranks) {
        ModelLoader.Checked checked = ModelLoader.check(directory, options.ofGguf());
        Optional<Backend> backend = Optional.empty();
        try {
            backend = Optional.of(Backends.open(share(options, ranks.numberHere())));
            Ops ops = ops(backend.get(), options);
            ModelInParts.follow(checked, backend.get(), ops, loading(LoadProgress.SILENT), ranks);
        } catch (RuntimeException | Error e) {
            checked.close();
            backend.ifPresent(Backend::close);
            throw e;
        }
    }

    private ModelInParts.Loading loading(LoadProgress progress) {
        return new ModelInParts.Loading(options.quantization(), adapters, progress);
    }
}
