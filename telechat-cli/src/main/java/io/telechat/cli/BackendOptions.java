// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.backend.BackendChoice;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What computes. */
final class BackendOptions {
    @Option(names = "--backend", paramLabel = "NAME", description = "cpu, nd4j or cuda (default: cpu, if it is usable)")
    private Optional<String> backend = Optional.empty();

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "threads, of each rank (default: all processors, shared among the ranks of a machine)")
    private int threads = RankProcess.defaultThreads();

    BackendChoice choice() {
        Positive.check("--threads", threads);
        return new BackendChoice(backend, threads);
    }
}
