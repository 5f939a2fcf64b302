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

    /** How far it has come, in words. */
    private interface Wording {
        Message of(long done, long total, double share, double seconds, double secondsLeft);
    }

    private final Wording wording;
    private final boolean silent;
    private final boolean terminal = Terminals.isError();
    private final long start = System.nanoTime();
    private long last = start;
    private boolean shown;

    /** Of bytes. */
    ProgressBar(Message what, boolean silent) {
        this(
                silent,
                (done, total, share, seconds, left) -> Message.of(
                        "%s %3.0f %%  %s of %s, %s/s, %.0f s left",
                        what,
                        100 * share,
                        MemoryPlan.gib(done),
                        MemoryPlan.gib(total),
                        MemoryPlan.gib((long) (done / seconds)),
                        left));
    }

    private ProgressBar(boolean silent, Wording wording) {
        this.silent = silent;
        this.wording = wording;
    }

    /**
     * Of things.
     *
     * @param before how many were done before this began
     */
    static ProgressBar counting(Message what, long before, boolean silent) {
        return new ProgressBar(
                silent,
                (done, total, share, seconds, left) -> Message.of(
                        "%s %3.0f %%  %,d of %,d, %s left",
                        what,
                        100 * share,
                        done,
                        total,
                        duration(seconds * (total - done) / Math.max(done - before, 1e-9))));
    }

    private static String duration(double seconds) {
        long whole = (long) Math.min(seconds, 3.6e8);
        return whole >= 3600
                ? "%d:%02d h".formatted(whole / 3600, whole / 60 % 60)
                : whole >= 60 ? "%d:%02d min".formatted(whole / 60, whole % 60) : "%d s".formatted(whole);
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
        String text = wording.of(done, total, share, seconds, seconds / Math.max(share, 1e-9) - seconds)
                .localized();
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
