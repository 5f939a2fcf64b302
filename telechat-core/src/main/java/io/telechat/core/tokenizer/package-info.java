// SPDX-License-Identifier: Apache-2.0
/**
 * Text to token ids and back, in pure Java: SentencePiece BPE models as TeleChat uses them, and the splitting on added
 * tokens that the reference's tokenizer classes do around it. Depends on the JDK and the exceptions only.
 *
 * <p>Start at {@link io.telechat.core.tokenizer.Tokenizer}.
 */
package io.telechat.core.tokenizer;
