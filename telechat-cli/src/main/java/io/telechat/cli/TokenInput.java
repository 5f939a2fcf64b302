// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.TextFiles;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Token ids given on the command line or in a file. */
final class TokenInput {
    @Option(names = "--tokens", paramLabel = "1,2,3", description = "token ids")
    private Optional<String> tokens = Optional.empty();

    @Option(
            names = "--tokens-file",
            paramLabel = "FILE",
            description = "file of token ids, separated by commas or blanks")
    private Optional<Path> tokensFile = Optional.empty();

    boolean isGiven() {
        return tokens.isPresent() || tokensFile.isPresent();
    }

    int[] read() {
        if (tokens.isPresent() && tokensFile.isPresent()) {
            throw new InvalidRequestException("--tokens and --tokens-file exclude each other");
        }
        return parse(tokens.orElseGet(this::readFile));
    }

    private String readFile() {
        Path file =
                tokensFile.orElseThrow(() -> new InvalidRequestException("give --tokens 1,2,3 or --tokens-file FILE"));
        return TextFiles.read(file);
    }

    private static int[] parse(String text) {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) {
            throw new InvalidRequestException("no token ids given: the prompt is empty");
        }
        String[] parts = trimmed.split("[\\s,]+");
        int[] ids = new int[parts.length];
        for (int i = 0; i < ids.length; i++) {
            try {
                ids[i] = Integer.parseInt(parts[i]);
            } catch (NumberFormatException e) {
                throw new InvalidRequestException(
                        "'%s' is not a token id; ids are integers, separated by commas", parts[i]);
            }
        }
        return ids;
    }
}
