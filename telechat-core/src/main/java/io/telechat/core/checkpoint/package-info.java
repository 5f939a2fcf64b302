// SPDX-License-Identifier: Apache-2.0
/**
 * Files of weights: reading safetensors and PyTorch's zip format, whole or sharded, and writing safetensors. Everything
 * here treats its input as hostile: sizes are checked before memory is taken, nothing that a file says is executed, and
 * every complaint is an {@link io.telechat.core.InvalidModelException} that names the file. Knows tensors, not models.
 *
 * <p>Start at {@link io.telechat.core.checkpoint.Checkpoint}.
 */
package io.telechat.core.checkpoint;
