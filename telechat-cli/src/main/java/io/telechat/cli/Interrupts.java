// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.utils.Signals;

/** Ctrl-C once asks the work to come to an end; the second time the program ends at once. */
final class Interrupts implements AutoCloseable {
    private static final String SIGNAL = "INT";

    private final Object before;

    private Interrupts(Runnable action) {
        AtomicBoolean asked = new AtomicBoolean();
        this.before = Signals.register(SIGNAL, () -> {
            if (asked.getAndSet(true)) {
                Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
            }
            System.err.println("\ntelechat: finishing this step, then saving; again Ctrl-C stops at once");
            action.run();
        });
    }

    static Interrupts onFirst(Runnable action) {
        return new Interrupts(action);
    }

    @Override
    public void close() {
        Signals.unregister(SIGNAL, before);
    }
}
