// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options of the command that serves a model, and adapters of it under names of their own. */
final class ServedModelOptions extends ModelOptions {
    @Option(
            names = "--adapter",
            paramLabel = "NAME=DIR",
            description = "LoRA adapter in PEFT's format, which requests name as a model; may be given several times")
    private Map<String, Path> adapters = new LinkedHashMap<>();

    @Override
    List<Path> adapters() {
        return List.copyOf(adapters.values());
    }

    List<String> adapterNames() {
        return List.copyOf(adapters.keySet());
    }
}
