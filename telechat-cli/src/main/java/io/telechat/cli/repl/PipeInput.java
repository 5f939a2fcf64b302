// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.TextFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Lines as they are, without editing and without a prompt. */
final class PipeInput implements LineInput {
    private final BufferedReader reader;
    private boolean begun;

    PipeInput(InputStream in) {
        this.reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
    }

    /** The next line; a byte order mark in front of the first is none of it. */
    private String readLine() throws IOException {
        String line = reader.readLine();
        boolean first = !begun;
        begun = true;
        return first && line != null ? TextFiles.withoutMark(line) : line;
    }

    @Override
    public Input read(String prompt) {
        try {
            String line = readLine();
            if (line == null) {
                return new Input.End();
            }
            StringBuilder text = new StringBuilder(line);
            while (text.toString().strip().startsWith(QUOTE)
                    && LineInput.unquote(text.toString()).isEmpty()) {
                String more = reader.readLine();
                if (more == null) {
                    break;
                }
                text.append('\n').append(more);
            }
            return new Input.Text(LineInput.unquote(text.toString()).orElse(text.toString()));
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(e, "stdin: not valid UTF-8; convert it, for example with iconv -t UTF-8");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public AutoCloseable showing(Runnable onInterrupt) {
        return () -> {};
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
