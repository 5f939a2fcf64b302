// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.Arrays;

/**
 * A dialog as the model sees it.
 *
 * @param ids token ids
 * @param mask 1 for each token that the model learns to predict, 0 for what it is only shown
 */
public record EncodedDialog(int[] ids, byte[] mask) {
    public EncodedDialog {
        if (ids.length != mask.length) {
            throw new IllegalArgumentException(ids.length + " ids, mask of " + mask.length);
        }
    }

    public int length() {
        return ids.length;
    }

    /** How many tokens are trained. */
    public int trained() {
        int trained = 0;
        for (byte m : mask) {
            trained += m;
        }
        return trained;
    }

    /** Grows by stretches that are trained or not. */
    static final class Builder {
        private int[] ids = new int[64];
        private byte[] mask = new byte[64];
        private int length;

        Builder add(int[] more, boolean trained) {
            reserve(more.length);
            System.arraycopy(more, 0, ids, length, more.length);
            Arrays.fill(mask, length, length + more.length, (byte) (trained ? 1 : 0));
            length += more.length;
            return this;
        }

        Builder add(int id, boolean trained) {
            reserve(1);
            ids[length] = id;
            mask[length++] = (byte) (trained ? 1 : 0);
            return this;
        }

        private void reserve(int more) {
            if (length + more > ids.length) {
                int size = Math.max(2 * ids.length, length + more);
                ids = Arrays.copyOf(ids, size);
                mask = Arrays.copyOf(mask, size);
            }
        }

        int length() {
            return length;
        }

        EncodedDialog build() {
            return new EncodedDialog(Arrays.copyOf(ids, length), Arrays.copyOf(mask, length));
        }
    }
}
