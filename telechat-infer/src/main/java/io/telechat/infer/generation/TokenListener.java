// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

/** Hears of tokens as they come. Called on the generating thread. */
@FunctionalInterface
public interface TokenListener {
    TokenListener SILENT = event -> {};

    void onToken(TokenEvent event);
}
