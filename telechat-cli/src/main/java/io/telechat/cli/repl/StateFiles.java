// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where telechat keeps what outlives a dialog (XDG base directory specification). */
public final class StateFiles {
    private StateFiles() {}

    /** {@code ~/.local/state/telechat}, unless {@code XDG_STATE_HOME} says otherwise. */
    public static Path directory() {
        String state = System.getenv("XDG_STATE_HOME");
        Path base = state == null || state.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".local", "state")
                : Path.of(state);
        return base.resolve("telechat");
    }

    /** The lines typed so far; nothing where they cannot be kept, and last as long as the dialog. */
    static Optional<Path> history() {
        try {
            Files.createDirectories(directory());
            return Optional.of(directory().resolve("history"));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
