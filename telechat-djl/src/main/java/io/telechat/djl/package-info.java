// SPDX-License-Identifier: Apache-2.0
/**
 * An engine of the Deep Java Library (DJL), {@code TeleChat}: checkpoints load through {@code Criteria}, and predictors chat, whole
 * or streamed, or give logits.
 *
 * {@snippet file="snippets/DjlSnippetsTest.java" region="chat"}
 *
 * <p>{@code setTypes} may be given:
 *
 * <table>
 * <caption>Types</caption>
 * <tr><th>input</th><th>output</th><th></th></tr>
 * <tr><td>{@link io.telechat.djl.ChatInput}</td><td>{@link io.telechat.djl.ChatOutput}</td><td>an answer</td></tr>
 * <tr><td>{@link io.telechat.djl.ChatInput}</td><td>{@link io.telechat.djl.ChatStream}</td><td>an answer in pieces</td></tr>
 * <tr><td>{@code String}</td><td>{@code String}</td><td>a question and its answer</td></tr>
 * <tr><td>{@code NDList}</td><td>{@code NDList}</td><td>ids, [n] of int32 or int64, and their logits, [n, vocab]</td></tr>
 * </table>
 *
 * <p>Options are those of {@link io.telechat.djl.TelechatModel}. DJL's classes that carry chats in its extension {@code genai} are not
 * used: this needs nothing but DJL's API.
 */
package io.telechat.djl;
