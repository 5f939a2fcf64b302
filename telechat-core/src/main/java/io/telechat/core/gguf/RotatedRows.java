// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

/**
 * The order of a head's rows in query and key. Hugging Face's files keep the two halves that are rotated against each other one
 * behind the other; llama.cpp's files of the architecture "llama" have element 0 of the first half, element 0 of the second,
 * element 1 of the first …
 *
 * @param headDim rows of a head
 */
public record RotatedRows(int headDim) {
    /** Where a checkpoint's row is in a GGUF file. */
    public long inGguf(long row) {
        int half = headDim / 2;
        long inHead = row % headDim;
        return row - inHead + 2 * (inHead % half) + inHead / half;
    }

    /** Where a row of a GGUF file is in a checkpoint. */
    public long inCheckpoint(long row) {
        int half = headDim / 2;
        long inHead = row % headDim;
        return row - inHead + inHead % 2 * half + inHead / 2;
    }
}
