// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Which neighbouring symbols may be merged, into what, and in which order. Merges are numbered from 0. */
interface MergeTable {
    /** The number of the merge of two symbols, or {@link PairTable#ABSENT}. */
    int merge(int left, int right);

    /** The lowest rank is merged first; among equals, the leftmost pair. */
    int rank(int merge);

    /** The symbol that a merge makes. */
    int result(int merge);
}
