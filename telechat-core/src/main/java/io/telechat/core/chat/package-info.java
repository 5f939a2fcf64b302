// SPDX-License-Identifier: Apache-2.0
/**
 * Conversations as the models were trained to read them: messages, the published chat format of each architecture, and what
 * keeps user text from forging a turn. Depends on {@code tokenizer}, and on {@code checkpoint} for reading JSON.
 *
 * <p>Start at {@link io.telechat.core.chat.ChatTokenizer}. A new format is one {@link io.telechat.core.chat.ChatTemplate}.
 */
package io.telechat.core.chat;
