// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import io.telechat.infer.generation.Generation;

/**
 * An answer.
 *
 * @param text what it says
 * @param generation its tokens, why it ended, counts and timings
 */
public record ChatOutput(String text, Generation generation) {}
