// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.tensor.DType;

/**
 * The bounds of an engine.
 *
 * @param cacheType element type of keys and values: F32, F16, BF16 or Q8
 * @param contextLength tokens of a prompt and its answer at most
 * @param blocks of keys and values at most, in all; enough for one sequence of that length
 * @param maxBatch sequences that are computed at once
 * @param maxQueue sequences that wait for that at most
 * @param maxDrafts tokens that are guessed for one step of a sequence at most
 */
public record EngineOptions(
        DType cacheType, int contextLength, int blocks, int maxBatch, int maxQueue, int maxDrafts) {}
