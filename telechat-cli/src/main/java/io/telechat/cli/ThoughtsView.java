// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;

/**
 * What is printed of thoughts, on a terminal: them, or how long they take; elsewhere: them, between marks, or nothing, as they are
 * no result.
 */
final class ThoughtsView {
    private static final String OPEN = "<think>\n";
    private static final String CLOSE = "\n</think>";
    private static final String BEHIND = "\n\n";

    private final boolean onTerminal;
    private boolean shown;
    private boolean running;
    private boolean runningShown;
    private long begun;

    ThoughtsView(boolean shown, boolean onTerminal) {
        this.shown = shown;
        this.onTerminal = onTerminal;
    }

    /** Shows what was hidden, or hides what was shown, from the next thoughts on; whether they are shown then. */
    boolean toggle() {
        shown = !shown;
        return shown;
    }

    /** Whether these thoughts are printed. */
    boolean isShowing() {
        return running ? runningShown : shown;
    }

    /** What stands in front of thoughts that have not begun before. */
    String begin() {
        if (running) {
            return "";
        }
        running = true;
        runningShown = shown;
        begun = System.nanoTime();
        if (onTerminal) {
            return shown ? "" : Message.localized("thinking…");
        }
        return shown ? OPEN : "";
    }

    /** What stands behind thoughts, if there were some. */
    String end() {
        if (!running) {
            return "";
        }
        running = false;
        if (onTerminal) {
            double seconds = (System.nanoTime() - begun) / 1e9;
            return (runningShown ? "" : Message.localized(" %.1f s", seconds)) + BEHIND;
        }
        return runningShown ? CLOSE + BEHIND : "";
    }
}
