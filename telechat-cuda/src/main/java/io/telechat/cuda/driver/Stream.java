// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Work for a GPU, which it does in the order of the calls while the caller goes on. Launches may be held back until the next
 * {@link #flush}, which looks whether the same list has come before and then starts it as a whole; see {@link Graphs}.
 *
 * <p>One thread calls at a time.
 */
public final class Stream implements AutoCloseable {
    private static final int NON_BLOCKING = 1;

    /** Asked after for so long without a nap, which is what short work takes. */
    private static final long BUSY_NANOS = 500_000;

    private static final long NAP_NANOS = 20_000;
    /** After that time a stream that has been given up does not get on any more. */
    private static final long GETS_ON_NANOS = 30_000_000_000L;

    private final Device device;
    private final Driver driver;
    private final long stream;
    private final Launches launches = new Launches();
    private final Graphs graphs;
    private final Launch launch = new Launch();
    private final StreamCall clear;
    private Optional<Watch> watch = Optional.empty();
    private boolean holds;

    public Stream(Device device) {
        this.device = device;
        this.driver = device.driver();
        device.use();
        this.stream = driver.make("cuStreamCreate", List.of(JAVA_INT), NON_BLOCKING);
        this.graphs = new Graphs(driver);
        this.clear = new StreamCall("clear", 2, (s, arguments) -> driver.set(arguments[0], (byte) 0, arguments[1], s));
    }

    public Device device() {
        return device;
    }

    /** For libraries that work in the order of a stream. */
    public long handle() {
        return stream;
    }

    /** What is asked while the stream is waited for. */
    public void watch(Optional<Watch> by) {
        watch = by;
    }

    /** Holds launches and calls back until the next {@link #flush}, which everything else but {@link #uploadAhead} makes. */
    public void hold() {
        flush();
        holds = true;
    }

    /** Starts what has been held back. */
    public void flush() {
        device.use();
        holds = false;
        if (!launches.isEmpty()) {
            try {
                graphs.run(launches, stream);
            } finally {
                launches.clear();
            }
        }
    }

    /** Starts what has been held back; what comes now is held back again. */
    public void flushAndGoOn() {
        boolean held = holds;
        flush();
        holds = held;
    }

    /** Work that is no launch. */
    public void call(StreamCall work, long... arguments) {
        device.use();
        launches.add(work, arguments);
        carryOutUnlessHeld();
    }

    private void carryOutUnlessHeld() {
        if (!holds) {
            try {
                launches.carryOut(driver, stream);
            } finally {
                launches.clear();
            }
        }
    }

    /** Begins a launch, which ends with {@link Launch#run}. */
    public Launch launch(Kernel kernel) {
        launch.reset();
        launches.begin(kernel);
        return launch;
    }

    /** The grid and the arguments of a launch, in the order of the kernel's parameters. */
    public final class Launch {
        private int x;
        private int y;
        private int z;
        private int threads;
        private int sharedBytes;

        private Launch() {}

        private void reset() {
            x = 1;
            y = 1;
            z = 1;
            threads = 1;
            sharedBytes = 0;
        }

        public Launch grid(long blocksX, long blocksY, long blocksZ) {
            x = Math.toIntExact(blocksX);
            y = Math.toIntExact(blocksY);
            z = Math.toIntExact(blocksZ);
            return this;
        }

        public Launch grid(long blocks) {
            return grid(blocks, 1, 1);
        }

        public Launch threads(int perBlock) {
            threads = perBlock;
            return this;
        }

        /** Dynamic shared memory of a block. */
        public Launch shared(int bytes) {
            sharedBytes = bytes;
            return this;
        }

        /** A device address (0 for none) or another number of 64 bits. */
        public Launch put(long value) {
            expect(launches.expected() == 'p' || launches.expected() == 'l');
            launches.put(value);
            return this;
        }

        public Launch put(int value) {
            expect(launches.expected() == 'i');
            launches.put(value);
            return this;
        }

        public Launch put(float value) {
            expect(launches.expected() == 'f');
            launches.put(value);
            return this;
        }

        public Launch put(double value) {
            expect(launches.expected() == 'd');
            launches.put(Double.doubleToRawLongBits(value));
            return this;
        }

        private static void expect(boolean right) {
            if (!right) {
                throw new IllegalStateException("an argument of another type than the kernel takes");
            }
        }

        /** Ends the launch; nothing is launched where the grid is empty. */
        public void run() {
            if (x == 0 || y == 0 || z == 0) {
                return;
            }
            device.use();
            launches.end(x, y, z, threads, sharedBytes);
            carryOutUnlessHeld();
        }
    }

    /**
     * Copies from host memory, before anything that is held back. Out of pinned memory the caller leaves the bytes alone until the
     * copy has been made; other memory is free at once.
     */
    public void uploadAhead(long to, MemorySegment from) {
        device.use();
        driver.copyToDevice(to, from, stream);
    }

    /** Likewise, in its place in the order. */
    public void copyToDevice(long to, MemorySegment from) {
        flush();
        if (from.byteSize() > 0) {
            driver.copyToDevice(to, from, stream);
        }
    }

    /** Copies to host memory, where the bytes are once the stream has been waited for. */
    public void copyToHost(MemorySegment to, long from) {
        flush();
        if (to.byteSize() > 0) {
            driver.copyToHost(to, from, stream);
        }
    }

    public void copyWithin(long to, long from, long bytes) {
        flush();
        if (bytes > 0) {
            driver.copyWithin(to, from, bytes, stream);
        }
    }

    /** Sets bytes to zero. */
    public void clear(long at, long bytes) {
        if (bytes > 0) {
            call(clear, at, bytes);
        }
    }

    /** Waits until all work is done. */
    public void synchronize() {
        flush();
        if (watch.isEmpty()) {
            driver.synchronize(stream);
        } else {
            waitFor(() -> driver.isDone(stream));
        }
    }

    /** Waits until an event of this stream is reached. */
    public void await(Event event) {
        if (watch.isEmpty()) {
            event.await();
        } else {
            waitFor(event::isReached);
        }
    }

    /** What the watch throws comes when the stream has got on. */
    private void waitFor(BooleanSupplier end) {
        device.use();
        long start = System.nanoTime();
        RuntimeException failure = null;
        long failed = 0;
        try {
            while (!end.getAsBoolean()) {
                long now = System.nanoTime();
                if (failure != null && now - failed > GETS_ON_NANOS) {
                    break;
                }
                if (now - start < BUSY_NANOS) {
                    Thread.onSpinWait();
                    continue;
                }
                if (failure == null) {
                    try {
                        watch.get().check(now - start);
                    } catch (RuntimeException e) {
                        failure = e;
                        failed = now;
                    }
                }
                LockSupport.parkNanos(NAP_NANOS);
            }
        } catch (CudaException e) {
            watch.get().check(System.nanoTime() - start); // it may know why
            throw failure == null ? e : failure;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Marks this point in the work, what is held back not included. */
    public void record(Event event) {
        device.use();
        driver.call("cuEventRecord", List.of(JAVA_LONG, JAVA_LONG), event.handle(), stream);
    }

    @Override
    public void close() {
        synchronize();
        graphs.close();
        driver.call("cuStreamDestroy_v2", List.of(JAVA_LONG), stream);
        launches.close();
    }
}
