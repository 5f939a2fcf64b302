// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.weights.LoadProgress;

/** Progress of long work on stderr: a bar on a terminal, a line now and then in a log, nothing for what is quick. */
final class ProgressBar implements LoadProgress {
    private static final long FIRST_NANOS = 700_000_000L;
    private static final long BAR_NANOS = 100_000_000L;
    private static final long LINE_NANOS = 10_000_000_000L;
    private static final int WIDTH = 30;
    /** On a narrow terminal the end of the line is left out: of a line that has gone on to the next, half would stay. */
    private static final String UNWRAPPED = "\u001b[?7l";

    private static final String WRAPPED = "\u001b[?7h";

    private final Message what;
    private final boolean silent;
    private final boolean terminal = Terminals.isError();
    private final long start = System.nanoTime();
    private long last = start;
    private boolean shown;

    ProgressBar(Message what, boolean silent) {
        this.what = what;
        this.silent = silent;
    }

    @Override
    public void loaded(long done, long total) {
        long now = System.nanoTime();
        boolean due = shown
                ? now - last >= (terminal ? BAR_NANOS : LINE_NANOS)
                : now - start >= (terminal ? FIRST_NANOS : LINE_NANOS);
        if (silent || !(due || shown && done == total)) {
            return;
        }
        last = now;
        shown = true;
        double share = total == 0 ? 1 : (double) done / total;
        double seconds = (now - start) / 1e9;
        String text = Message.localized(
                "%s %3.0f %%  %s of %s, %s/s, %.0f s left",
                what,
                100 * share,
                MemoryPlan.gib(done),
                MemoryPlan.gib(total),
                MemoryPlan.gib((long) (done / seconds)),
                seconds / Math.max(share, 1e-9) - seconds);
        if (!terminal) {
            System.err.println(text);
        } else if (done == total) {
            System.err.print("\r\u001b[K");
        } else {
            int filled = (int) (WIDTH * share);
            String bar = "[" + "=".repeat(filled) + " ".repeat(WIDTH - filled) + "] " + text;
            System.err.print("\r\u001b[K" + UNWRAPPED + bar + WRAPPED);
        }
        System.err.flush();
    }
}
