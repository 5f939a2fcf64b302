// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Anonymous mappings for which Linux is asked for large pages: hundreds of times fewer page faults on the first touch, which
 * on virtual machines can cost more than what is then computed, and fewer misses of the translation cache after it. Nothing
 * is touched here: pages come, zeroed, to the thread that writes first, on the memory node beside it.
 *
 * @see <a href="https://docs.kernel.org/admin-guide/mm/transhuge.html">Transparent hugepage support</a>
 */
public final class LargePages {
    /** Bytes of a large page of x86, and of ARM over base pages of 4 KiB. Elsewhere it's an alignment like any other. */
    public static final long BYTES = 2 << 20;

    // The numbers of Linux, the same on every architecture that this runs on.
    private static final int READ_AND_WRITE = 1 | 2;
    private static final int PRIVATE_AND_ANONYMOUS = 0x02 | 0x20;
    private static final int ADVISE_HUGE_PAGE = 14;
    private static final long FAILED = -1;

    private static final Optional<LargePages> SYSTEM = find();

    private final MethodHandle mmap;
    private final MethodHandle munmap;
    private final MethodHandle madvise;

    private LargePages(NativeLibrary system) {
        mmap = system.function(
                "mmap",
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        munmap = system.function("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        madvise = system.function("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    }

    /** What this system offers; empty where it's not Linux, or where its functions are missing or the JVM lets none be called. */
    public static Optional<LargePages> ofSystem() {
        return SYSTEM;
    }

    private static Optional<LargePages> find() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.empty();
        }
        try {
            return Optional.of(new LargePages(NativeLibrary.ofSystem()));
        } catch (IllegalArgumentException | IllegalCallerException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /**
     * Maps at least so many bytes, from the start of a large page on.
     *
     * @param arena unmaps them when it is closed
     * @return zeros; empty if the system has no memory to give
     */
    @SuppressWarnings("restricted")
    public Optional<MemorySegment> map(long bytes, Arena arena) {
        long size = roundUp(bytes) + BYTES; // to be aligned within
        try {
            long address = (long) mmap.invokeExact(0L, size, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
            if (address == FAILED) {
                return Optional.empty();
            }
            long start = roundUp(address);
            long length = size - BYTES;
            // Where this is refused, pages are small.
            int ignored = (int) madvise.invokeExact(start, length, ADVISE_HUGE_PAGE);
            return Optional.of(
                    MemorySegment.ofAddress(start).reinterpret(length, arena, mapping -> unmap(address, size)));
        } catch (Throwable e) {
            throw new AssertionError("functions of the C library throw nothing", e);
        }
    }

    private void unmap(long address, long size) {
        try {
            int ignored = (int) munmap.invokeExact(address, size);
        } catch (Throwable e) {
            throw new AssertionError("functions of the C library throw nothing", e);
        }
    }

    private static long roundUp(long bytes) {
        return (bytes + BYTES - 1) & -BYTES;
    }
}
