// SPDX-License-Identifier: Apache-2.0
/** Fine-tuning. Reuses the decoder of {@code telechat-core}; knows nothing of {@code telechat-infer}. */
package io.telechat.train;
