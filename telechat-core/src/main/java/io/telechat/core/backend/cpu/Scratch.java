// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import java.lang.foreign.MemorySegment;

/** Native memory that is used again and again, and grows when more is asked for; what was in it is lost then. */
final class Scratch implements AutoCloseable {
    private HostArena arena = new HostArena();
    private MemorySegment memory = MemorySegment.NULL;

    /** At least so many bytes. */
    MemorySegment bytes(long size) {
        if (memory.byteSize() < size) {
            arena.close();
            arena = new HostArena();
            memory = arena.allocate(DType.U8, size).segment();
        }
        return memory;
    }

    /** At least so many floats. */
    MemorySegment floats(long count) {
        return bytes(count * Float.BYTES);
    }

    /** One for each of so many threads. */
    static Scratch[] perThread(int threads) {
        Scratch[] all = new Scratch[threads];
        for (int i = 0; i < threads; i++) {
            all[i] = new Scratch();
        }
        return all;
    }

    @Override
    public void close() {
        arena.close();
    }
}
