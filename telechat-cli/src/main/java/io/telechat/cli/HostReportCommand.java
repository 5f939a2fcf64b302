// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.TelechatException;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.model.MemoryPlan;
import io.telechat.train.data.TrainingData;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What {@link HostCheck} asks of a host; runs there. */
@Command(name = "host-report", hidden = true, description = "What a host has for a run, as one JSON object.")
final class HostReportCommand implements Callable<Integer> {
    @Option(names = "--model-path", required = true, paramLabel = "DIR", description = "checkpoint directory")
    private Path model;

    @Option(names = "--data-path", required = true, paramLabel = "DIR", description = "samples made by process-data")
    private Path data;

    @Override
    public Integer call() {
        System.out.println(Json.line(report(model, data)));
        return ExitCode.OK;
    }

    /** Fingerprints in place of files, and what is wrong in place of a fingerprint. */
    static ObjectNode report(Path model, Path data) {
        ObjectNode report = Json.object()
                .put("telechat", VersionCommand.version())
                .put("java", Runtime.version().toString())
                .put("memory", MemoryPlan.machineMemory())
                .put("processors", Runtime.getRuntime().availableProcessors())
                .put("time", System.currentTimeMillis());
        put(report, "model", () -> {
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                return checkpoint.fingerprint();
            }
        });
        put(report, "data", () -> {
            try (TrainingData samples = TrainingData.open(data)) {
                return samples.fingerprint();
            }
        });
        return report;
    }

    private static void put(ObjectNode report, String name, Supplier<String> fingerprint) {
        try {
            report.put(name, fingerprint.get());
        } catch (TelechatException e) {
            report.put(name + "_error", e.getMessage());
        }
    }
}
