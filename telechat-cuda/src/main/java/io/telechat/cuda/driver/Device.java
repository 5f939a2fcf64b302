// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A GPU and its context, which all users of the process share; with the memory allocated on it. Thread-safe. */
public final class Device implements AutoCloseable {
    private static final int MULTIPROCESSORS = 16;
    private static final int MEMORY_CLOCK_KHZ = 36;
    private static final int BUS_BITS = 37;
    private static final int MAJOR = 75;
    private static final int MINOR = 76;
    private static final int SHARED_BYTES = 97;
    private static final int NAME_BYTES = 256;

    private static final ThreadLocal<Device> CURRENT = new ThreadLocal<>();

    private final Driver driver;
    private final int ordinal;
    private final int handle;
    /** Zero until the GPU is used: to look at its name and size takes none, and to make one takes a while. */
    private long context;

    private Device(Driver driver, int ordinal) {
        this.driver = driver;
        this.ordinal = ordinal;
        this.handle = (int) driver.make("cuDeviceGet", List.of(JAVA_INT), ordinal);
    }

    /** Whether the system has NVIDIA's driver. */
    public static boolean hasDriver() {
        return Driver.find().isPresent();
    }

    /** How many GPUs the driver offers; 0 without a driver, or where it does not start. */
    public static int count() {
        Optional<Driver> driver = Driver.find();
        if (driver.isEmpty()) {
            return 0;
        }
        try {
            driver.get().call("cuInit", List.of(JAVA_INT), 0);
            return (int) driver.get().make("cuDeviceGetCount", List.of());
        } catch (CudaException e) {
            return 0; // CUDA_ERROR_NO_DEVICE among others
        }
    }

    /**
     * The GPU of this number, which the caller closes.
     *
     * @throws CudaException if there is none
     */
    public static Device open(int ordinal) {
        Driver driver = Driver.get();
        driver.call("cuInit", List.of(JAVA_INT), 0);
        return new Device(driver, ordinal);
    }

    Driver driver() {
        return driver;
    }

    public int ordinal() {
        return ordinal;
    }

    /** Such as {@code NVIDIA H200}. */
    public String name() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(NAME_BYTES);
            driver.call("cuDeviceGetName", List.of(ADDRESS, JAVA_INT, JAVA_INT), text, NAME_BYTES, handle);
            return text.getString(0);
        }
    }

    /** A number that no other GPU in the world has, in four parts. */
    public int[] uuid() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(JAVA_INT, 4);
            driver.call("cuDeviceGetUuid_v2", List.of(ADDRESS, JAVA_INT), bytes, handle);
            return bytes.toArray(JAVA_INT);
        }
    }

    /** The compute capability as in {@code sm_90}: 90. */
    public int capability() {
        return 10 * attribute(MAJOR) + attribute(MINOR);
    }

    public int multiprocessors() {
        return attribute(MULTIPROCESSORS);
    }

    /** Shared memory that a thread block may have, in bytes. */
    public int sharedBytes() {
        return attribute(SHARED_BYTES);
    }

    /** What its memory could deliver by clock and width, in bytes per second; 0 where the driver does not say. */
    public double memoryBytesPerSecond() {
        return 2.0 * attribute(MEMORY_CLOCK_KHZ) * 1000 * attribute(BUS_BITS) / 8;
    }

    private int attribute(int which) {
        return (int) driver.make("cuDeviceGetAttribute", List.of(JAVA_INT, JAVA_INT), which, handle);
    }

    /** The CUDA version that the driver serves: 13000 for 13.0. */
    public int driverVersion() {
        return (int) driver.make("cuDriverGetVersion", List.of());
    }

    /** Makes it the GPU of the calling thread. */
    void use() {
        if (CURRENT.get() != this) {
            driver.setCurrent(context());
            CURRENT.set(this);
        }
    }

    private synchronized long context() {
        if (context == 0) {
            context = driver.make("cuDevicePrimaryCtxRetain", List.of(JAVA_INT), handle);
        }
        return context;
    }

    /** Memory on the GPU: free, and in all. */
    public long freeBytes() {
        return memory(0);
    }

    public long totalBytes() {
        return memory(1);
    }

    private long memory(int which) {
        use();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sizes = arena.allocate(JAVA_LONG, 2);
            driver.call("cuMemGetInfo_v2", List.of(ADDRESS, ADDRESS), sizes, sizes.asSlice(JAVA_LONG.byteSize()));
            return sizes.getAtIndex(JAVA_LONG, which);
        }
    }

    /**
     * The address of new memory, aligned to 256 bytes.
     *
     * @throws io.telechat.core.InsufficientMemoryException if there is not enough
     */
    public long allocate(long bytes) {
        use();
        return driver.make("cuMemAlloc_v2", List.of(JAVA_LONG), Math.max(1, bytes));
    }

    /** Frees memory; what works on it must have ended. */
    public void free(long address) {
        use();
        driver.call("cuMemFree_v2", List.of(JAVA_LONG), address);
    }

    /** Host memory that the GPU reads and writes by itself, while the caller goes on. */
    @SuppressWarnings("restricted")
    public MemorySegment allocatePinned(long bytes) {
        use();
        long address = driver.make("cuMemHostAlloc", List.of(JAVA_LONG, JAVA_INT), bytes, 0);
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    public void freePinned(MemorySegment memory) {
        use();
        driver.call("cuMemFreeHost", List.of(ADDRESS), memory);
    }

    /** Waits until everything asked of this GPU is done. */
    public void synchronize() {
        use();
        driver.call("cuCtxSynchronize", List.of());
    }

    @Override
    public synchronized void close() {
        if (context != 0) {
            driver.call("cuDevicePrimaryCtxRelease_v2", List.of(JAVA_INT), handle);
            context = 0;
        }
        CURRENT.remove();
    }
}
