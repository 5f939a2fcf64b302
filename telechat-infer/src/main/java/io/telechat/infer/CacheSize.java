// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

/** How much memory the keys and values of all sequences may take together. It is taken as they come. */
public sealed interface CacheSize {
    /** Room for one sequence as long as the context. */
    record OneContext() implements CacheSize {}

    /** Room for so many tokens. */
    record Tokens(int count) implements CacheSize {}

    /** So many bytes. */
    record Bytes(long count) implements CacheSize {}

    /** What the weights leave of half the machine's memory, but room for one context in any case. */
    record HalfOfMachine() implements CacheSize {}
}
