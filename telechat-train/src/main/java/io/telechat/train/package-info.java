// SPDX-License-Identifier: Apache-2.0
/**
 * Fine-tuning. Empty for now: data processing and training come next, and reuse the decoder of {@code telechat-core}.
 * May depend on core; knows nothing of {@code telechat-infer}.
 */
package io.telechat.train;
