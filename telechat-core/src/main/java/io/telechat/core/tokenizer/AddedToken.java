// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * A token that the tokenizer class, rather than the SentencePiece model, finds in text.
 *
 * @param singleWord whether it is one only where blanks surround it; otherwise it is glued to its neighbours as text
 */
public record AddedToken(int id, String content, boolean singleWord) {}
