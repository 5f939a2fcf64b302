// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.Locale;
import picocli.CommandLine.Option;

/** Options that every command has. */
public final class GlobalOptions {
    /** When to colour output. */
    public enum Color {
        AUTO,
        ALWAYS,
        NEVER;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--color",
            paramLabel = "WHEN",
            description = "auto, always or never (default: auto; NO_COLOR counts)")
    Color color = Color.AUTO;

    @Option(
            names = {"-q", "--quiet"},
            description = "no progress, no warnings")
    boolean quiet;

    @Option(
            names = {"-v", "--verbose"},
            description = "say more on stderr")
    boolean verbose;

    @Option(names = "--stacktrace", description = "with an error, show where in the program it came from")
    boolean stacktrace;

    /** Whether to colour what goes to stdout. */
    boolean colored() {
        return switch (color) {
            case ALWAYS -> true;
            case NEVER -> false;
            case AUTO ->
                Terminals.isOutput() && System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
        };
    }
}
