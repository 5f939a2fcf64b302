// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import java.util.Iterator;
import java.util.stream.Stream;

/**
 * An answer in pieces of text, to be read once. Generated as it is read; to close it cancels what has not been read, so do that where it
 * may be left before its end.
 */
public final class ChatStream implements Iterable<String>, AutoCloseable {
    private final Stream<String> pieces;

    ChatStream(Stream<String> pieces) {
        this.pieces = pieces;
    }

    @Override
    public Iterator<String> iterator() {
        return pieces.iterator();
    }

    @Override
    public void close() {
        pieces.close();
    }
}
