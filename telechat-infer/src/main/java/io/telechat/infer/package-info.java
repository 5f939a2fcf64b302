// SPDX-License-Identifier: Apache-2.0
/**
 * Text from a model: {@link io.telechat.infer.ChatModel} loads one, {@code Generator} runs the loop of sample and feed, {@code sampling} chooses tokens, {@link io.telechat.infer.ChatSession} keeps a conversation. Depends on core; knows nothing of
 * {@code telechat-train} or of the command line.
 */
package io.telechat.infer;
