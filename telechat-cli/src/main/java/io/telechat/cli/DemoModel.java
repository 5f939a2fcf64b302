// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The model that comes with the program: some six million parameters, trained on datas/ by scripts/train-demo-model.sh. Weights
 * are read from files, so it is unpacked for as long as the program runs.
 */
final class DemoModel {
    static final String PREFIX = "telechat-demo-";

    /** As servers call it. */
    static final String NAME = "telechat-demo";

    private static final List<String> FILES =
            List.of("config.json", "generation_config.json", "tokenizer.model", "model.safetensors");

    private DemoModel() {}

    /** A model's directory, or the demonstration model's where none is given, of which a note tells unless all is quiet. */
    static Path orGiven(Optional<Path> given, boolean quiet) {
        if (given.isEmpty() && !quiet) {
            System.err.println("telechat: "
                    + Message.localized("no model was given; this is a tiny demonstration model that knows the lines of"
                            + " datas/. `telechat chat DIR` talks to a real one."));
        }
        return given.map(ModelOptions::found).orElseGet(DemoModel::unpack);
    }

    /**
     * @return a directory that is gone when the program ends
     * @throws InvalidRequestException if this build has no such model
     */
    static Path unpack() {
        try {
            Path directory = Files.createTempDirectory(PREFIX);
            directory.toFile().deleteOnExit();
            for (String name : FILES) {
                try (InputStream in = DemoModel.class.getResourceAsStream("/demo/" + name)) {
                    if (in == null) {
                        throw new InvalidRequestException("which model? Give the directory of a checkpoint, or set"
                                + " TELECHAT_MODEL to it (this build has no demonstration model)");
                    }
                    Path file = directory.resolve(name);
                    file.toFile().deleteOnExit();
                    Files.copy(in, file);
                }
            }
            return directory;
        } catch (IOException e) {
            throw new InvalidModelException(e, "the demonstration model cannot be unpacked: %s", IoReason.of(e));
        }
    }
}
