// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jline.utils.Signals;

/** Ctrl-C or a termination once asks the work to come to an end; the second time the program ends at once. */
final class Interrupts implements AutoCloseable {
    private final Map<String, Object> before = new LinkedHashMap<>();
    private final AtomicInteger first = new AtomicInteger();

    private Interrupts() {}

    private Interrupts(Runnable action, Message said) {
        for (Map.Entry<String, Integer> signal :
                Map.of("INT", ExitCode.INTERRUPTED, "TERM", ExitCode.TERMINATED).entrySet()) {
            int code = signal.getValue();
            before.put(signal.getKey(), Signals.register(signal.getKey(), () -> {
                if (!first.compareAndSet(0, code)) {
                    Runtime.getRuntime().halt(code);
                }
                System.err.println("\ntelechat: " + said.localized());
                action.run();
            }));
        }
    }

    /** Signals do what they do to every program. */
    static Interrupts none() {
        return new Interrupts();
    }

    /**
     * Each Ctrl-C runs the action; a termination does what it does to every program.
     *
     * @param ends whether the action brings the work to an end, so that the exit code tells of it
     */
    static Interrupts always(Runnable action, boolean ends) {
        Interrupts interrupts = new Interrupts();
        interrupts.before.put("INT", Signals.register("INT", () -> {
            if (ends) {
                interrupts.first.set(ExitCode.INTERRUPTED);
            }
            action.run();
        }));
        return interrupts;
    }

    /** The first one runs the action, which brings training to its end. */
    static Interrupts onFirst(Runnable action) {
        return onFirst(action, Message.of("finishing this step, then saving; again Ctrl-C stops at once"));
    }

    /** @param said to the user who has stopped it */
    static Interrupts onFirst(Runnable action, Message said) {
        return new Interrupts(action, said);
    }

    /** Whether there was one. */
    boolean came() {
        return first.get() != 0;
    }

    /** The exit code of the signal that came first. */
    int code() {
        return first.get() == 0 ? ExitCode.INTERRUPTED : first.get();
    }

    @Override
    public void close() {
        before.forEach(Signals::unregister);
    }
}
