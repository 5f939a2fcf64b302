// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory of this process, as the system counts it. */
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");
    private static final String PEAK = "5";
    private static final int KIB = 1024;

    private ProcessMemory() {}

    /** Resident bytes; 0 where the system does not say. */
    public static long residentBytes() {
        return bytes("VmRSS:");
    }

    /** Most resident bytes since the start or {@link #resetPeak}; 0 where the system does not say. */
    public static long peakBytes() {
        return bytes("VmHWM:");
    }

    /** Begins to measure the peak anew, where the system lets us (proc(5), {@code clear_refs}). */
    public static void resetPeak() {
        try {
            Files.writeString(CLEAR, PEAK);
        } catch (IOException e) {
            // Then the peak is that of the whole process.
        }
    }

    private static long bytes(String field) {
        if (!Files.isReadable(STATUS)) {
            return 0;
        }
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(field))
                    .mapToLong(line -> KIB * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }
}
