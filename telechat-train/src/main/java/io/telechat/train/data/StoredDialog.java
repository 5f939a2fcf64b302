// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.ByteBuffer;

/**
 * A dialog whose tokens lie in a {@link DialogStore}.
 *
 * @param key decides on the order
 * @param place of its line in all input; settles equal keys
 * @param source index into the list of sources
 * @param length tokens
 * @param trained so many of them are trained
 * @param file number of its file
 * @param offset of its first token in the file, in bytes
 */
record StoredDialog(long key, long place, int source, int length, int trained, int file, long offset) {
    /** Size of a dialog that was put into a buffer. */
    static final int BYTES = 3 * Long.BYTES + 4 * Integer.BYTES;

    StoredDialog withKey(long newKey) {
        return new StoredDialog(newKey, place, source, length, trained, file, offset);
    }

    void put(ByteBuffer out) {
        out.putLong(key).putLong(place).putInt(source).putInt(length);
        out.putInt(trained).putInt(file).putLong(offset);
    }

    static StoredDialog get(ByteBuffer in) {
        return new StoredDialog(
                in.getLong(), in.getLong(), in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getLong());
    }
}
