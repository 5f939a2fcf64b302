// SPDX-License-Identifier: Apache-2.0
/**
 * Fine-tuning: {@link io.telechat.train.TrainRun} puts a run together from a {@link io.telechat.train.TrainConfig}, {@link
 * io.telechat.train.Trainer} is its loop over steps, a {@link io.telechat.train.TrainedModel} is what it trains. Reuses the decoder
 * of {@code telechat-core}; knows nothing of {@code telechat-infer}.
 */
package io.telechat.train;
