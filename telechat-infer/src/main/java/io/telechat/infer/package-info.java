// SPDX-License-Identifier: Apache-2.0
/**
 * Text from a model: {@link io.telechat.infer.ChatModel} loads one, {@link io.telechat.infer.ChatSession} keeps a conversation. What
 * generates is {@code engine}, {@code sampling} chooses tokens, {@code grammar} keeps answers to a form. Depends on core; knows
 * nothing of {@code telechat-train} or of the command line.
 */
package io.telechat.infer;
