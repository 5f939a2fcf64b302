// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

/** Sizes beyond which a configuration is a mistake: an order of magnitude above the largest published model. */
final class Limits {
    static final int LAYERS = 2_000;
    static final int HEADS = 4_096;
    static final int WIDTH = 1 << 20;
    static final int VOCABULARY = 1 << 24;
    static final int CONTEXT = 1 << 27;

    private Limits() {}
}
