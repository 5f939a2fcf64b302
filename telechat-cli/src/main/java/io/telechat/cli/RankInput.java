// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.cli.repl.LineInput;
import java.io.IOException;
import java.util.Optional;

/** The dialog of a model on several ranks: its lines come by way of the launcher, and so does Ctrl-C. */
final class RankInput implements LineInput {
    private final RankProcess rank;
    private final LineInput lines = LineInput.of(StandardStreams.input());

    RankInput(RankProcess rank) {
        this.rank = rank;
    }

    @Override
    public Input read(String prompt) {
        if (RankProcess.hasDialog()) {
            System.out.print(prompt);
            System.out.flush();
        }
        return lines.read(prompt);
    }

    @Override
    public AutoCloseable showing(Runnable onInterrupt) {
        rank.onStop(Optional.of(onInterrupt));
        return () -> rank.onStop(Optional.empty());
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
