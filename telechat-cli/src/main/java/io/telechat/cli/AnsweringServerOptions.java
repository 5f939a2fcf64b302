// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.eval.model.OpenAiClient;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of commands that have a server answer in place of a model in this process. */
final class AnsweringServerOptions {
    @Option(
            names = "--base-url",
            paramLabel = "URL",
            description = "have a server answer instead that speaks OpenAI's API, such as http://127.0.0.1:8000/v1")
    private Optional<String> baseUrl = Optional.empty();

    @Option(names = "--model", paramLabel = "NAME", description = "with --base-url: which of the server's models")
    private Optional<String> model = Optional.empty();

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "with --base-url: file with the key to send (default: $TELECHAT_API_KEY)")
    private Optional<Path> keyFile = Optional.empty();

    /** @throws InvalidRequestException if other options are given than go with the server, or without one */
    boolean isGiven() {
        if (baseUrl.isEmpty() && (model.isPresent() || keyFile.isPresent())) {
            throw new InvalidRequestException("--model and --key-file are of a server: give its --base-url, too");
        }
        return baseUrl.isPresent();
    }

    OpenAiClient client() {
        Optional<String> key = keyFile.map(AnsweringServerOptions::key)
                .or(() -> Optional.ofNullable(System.getenv("TELECHAT_API_KEY")));
        return new OpenAiClient(baseUrl.orElseThrow(), key);
    }

    /** Which of the server's models; empty for its only one. */
    Optional<String> model() {
        return model;
    }

    /** The only line of a file. */
    static String key(Path file) {
        String key = TextFiles.read(file).strip();
        if (key.isEmpty()) {
            throw new InvalidInputException("%s: has no key", file);
        }
        return key;
    }
}
