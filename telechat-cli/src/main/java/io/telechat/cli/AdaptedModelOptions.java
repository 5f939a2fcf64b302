// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of commands that load a model, with an adapter if one is given. */
final class AdaptedModelOptions extends ModelOptions {
    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "LoRA adapter in PEFT's format to load with the model")
    private Optional<Path> adapter = Optional.empty();

    @Override
    List<Path> adapters() {
        return adapter.stream().toList();
    }
}
