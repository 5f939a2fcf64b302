// SPDX-License-Identifier: Apache-2.0
/**
 * Text to token ids and back, in pure Java: SentencePiece BPE models as TeleChat and Llama 2 use them with the splitting on added
 * tokens that the reference's tokenizer classes do around it, tiktoken's files, and those of the tokenizers library.
 *
 * <p>Start at {@link io.telechat.core.tokenizer.Tokenizer} and {@link io.telechat.core.tokenizer.TokenizerFiles}.
 */
package io.telechat.core.tokenizer;
