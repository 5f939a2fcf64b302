// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Work that waits for others, on a thread each, so many at a time. */
final class ManyAtOnce {
    /** How soon a failure is seen while others are under way. */
    private static final long LOOK_MILLIS = 200;

    private ManyAtOnce() {}

    /**
     * Returns when all is done. The first failure, or an interruption, stops what is under way.
     *
     * @throws io.telechat.core.TelechatException the first failure
     */
    static <T> void run(List<T> work, int parallel, Consumer<T> each) {
        Semaphore places = new Semaphore(parallel);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (T one : work) {
                    places.acquire();
                    if (failure.get() != null) {
                        break;
                    }
                    threads.execute(() -> {
                        try {
                            each.accept(one);
                        } catch (RuntimeException | Error e) {
                            failure.compareAndSet(null, e);
                        } finally {
                            places.release();
                        }
                    });
                }
                while (failure.get() == null && !places.tryAcquire(parallel, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                    // They are under way.
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                failure.compareAndSet(null, new InvalidInputException(e, "%s", Message.of("interrupted")));
            }
            if (failure.get() != null) {
                threads.shutdownNow();
            }
        }
        switch (failure.get()) {
            case null -> {}
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }
}
