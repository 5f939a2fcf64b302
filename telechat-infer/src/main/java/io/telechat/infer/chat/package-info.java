// SPDX-License-Identifier: Apache-2.0
/** Conversations with a loaded model: {@link io.telechat.infer.chat.ChatSession}. */
package io.telechat.infer.chat;
