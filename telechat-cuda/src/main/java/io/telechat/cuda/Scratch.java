// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.cuda.driver.Stream;

/** Memory of the GPU for what lies between two launches of one formula; grows as it is asked for. */
final class Scratch implements AutoCloseable {
    private final Stream stream;
    private long address;
    private long size;

    Scratch(Stream stream) {
        this.stream = stream;
    }

    /** The address of so many bytes, which the next call gives to another. */
    long of(long bytes) {
        if (bytes > size) {
            close();
            long grown = Math.max(bytes, Math.min(2 * size, size + (256L << 20)));
            address = stream.device().allocate(grown);
            size = grown;
        }
        return address;
    }

    @Override
    public void close() {
        if (size > 0) {
            stream.synchronize();
            stream.device().free(address);
            size = 0;
        }
    }
}
