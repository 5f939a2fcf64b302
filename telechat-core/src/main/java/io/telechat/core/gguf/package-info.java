// SPDX-License-Identifier: Apache-2.0
/**
 * The GGUF format of ggml (github.com/ggml-org/ggml, docs/gguf.md): its metadata, tensors and quantized blocks, read and
 * written, and how its names and numbers translate to those of the checkpoints that Hugging Face's libraries write.
 *
 * <p>Start at {@link io.telechat.core.gguf.GgufModel}.
 */
package io.telechat.core.gguf;
